import { describe, expect, it } from 'vitest';
import { ScriptRegistry } from './script-registry.js';

const script = { kind: 'text' as const, source: 'client.size' };

describe('ScriptRegistry', () => {
	it('sends a source once to each process of a worker, and its id after that', () => {
		const known = new ScriptRegistry().get(script);
		expect([known.id, known.text]).toEqual([1, script]);
		const [first, second] = [{ epoch: 1 }, { epoch: 1 }];
		expect([known.sendTo(first), known.sendTo(first), known.sendTo(second)]).toEqual([false, true, false]);
		first.epoch = 2;
		expect([known.sendTo(first), known.sendTo(first)]).toEqual([false, true]);
		known.forget(second);
		expect([known.sendTo(second), known.sendTo(first)]).toEqual([false, true]);
	});

	it('keeps a function separate from an equal text', () => {
		const registry = new ScriptRegistry();
		expect(registry.get(script).id).toBe(1);
		expect(registry.get({ ...script, kind: 'function' }).id).toBe(2);
		expect(registry.get({ ...script })).toBe(registry.get(script));
	});

	it('drops the oldest at its limit, and never assigns an id twice', () => {
		const registry = new ScriptRegistry();
		const get = (n: number) => registry.get({ kind: 'text', source: `${n}` });
		const ids = Array.from({ length: 501 }, (_, n) => get(n).id);
		expect(new Set(ids).size).toBe(501);
		expect(get(0)).toMatchObject({ id: 502, text: { kind: 'text', source: '0' } });
		expect(get(500).id).toBe(501);
	});
});
