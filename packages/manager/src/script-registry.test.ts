import { describe, expect, it } from 'vitest';
import { ScriptRegistry } from './script-registry.js';

const script = { kind: 'text' as const, source: 'client.size' };

describe('ScriptRegistry', () => {
	it('sends a source once to each process of a worker, and its id from then on', () => {
		const registry = new ScriptRegistry();
		expect(registry.scriptFor(script, { id: 0, epoch: 1 })).toEqual({ id: 1, ...script });
		expect(registry.scriptFor(script, { id: 0, epoch: 1 })).toEqual({ id: 1, kind: 'text' });
		expect(registry.scriptFor(script, { id: 1, epoch: 1 })).toEqual({ id: 1, ...script });
		expect(registry.scriptFor(script, { id: 0, epoch: 2 })).toEqual({ id: 1, ...script });
	});

	it('keeps a function apart from a text that reads the same', () => {
		const registry = new ScriptRegistry();
		expect(registry.scriptFor(script, { id: 0, epoch: 1 }).id).toBe(1);
		expect(registry.scriptFor({ ...script, kind: 'function' }, { id: 0, epoch: 1 }).id).toBe(2);
	});

	it('lets the oldest go at its bound, and never gives an id twice', () => {
		const registry = new ScriptRegistry();
		const ids = Array.from(
			{ length: 501 },
			(_, n) => registry.scriptFor({ kind: 'text', source: `${n}` }, { id: 0, epoch: 1 }).id,
		);
		expect(new Set(ids).size).toBe(501);
		expect(registry.scriptFor({ kind: 'text', source: '0' }, { id: 0, epoch: 1 })).toEqual({
			id: 502,
			kind: 'text',
			source: '0',
		});
		expect(registry.scriptFor({ kind: 'text', source: '500' }, { id: 0, epoch: 1 })).toEqual({ id: 501, kind: 'text' });
	});
});
