import { isScriptMissing } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import { ScriptRunner } from './script-runner.js';

const runner = () => new ScriptRunner(import.meta.filename);
const client = { size: 3 };
const text = (source: string, script = 1) => ({ script, text: { kind: 'text' as const, source } });

function isMissing(scripts: ScriptRunner, script: number): boolean {
	try {
		scripts.run({ script }, client);
		return false;
	} catch (error) {
		return isScriptMissing(error, script);
	}
}

describe('ScriptRunner', () => {
	it('compiles a script once and runs it by its id from then on', async () => {
		const scripts = runner();
		expect(await scripts.run({ ...text('client.size + context'), context: 1 }, client)).toBe(4);
		expect(await scripts.run({ script: 1, context: 2 }, client)).toBe(5);
		// Source that is sent with a known id is not read again.
		expect(await scripts.run({ ...text('0'), context: 2 }, client)).toBe(5);
	});

	it('reports that it does not hold a script', async () => {
		expect(isMissing(runner(), 1)).toBe(true);
	});

	it('drops the oldest script at its limit', async () => {
		const scripts = runner();
		for (let id = 0; id <= 500; id++) await scripts.run(text(`${id}`, id), client);
		expect(isMissing(scripts, 0)).toBe(true);
		expect(await scripts.run({ script: 1 }, client)).toBe(1);
	});

	it('does not keep a script that has a syntax error', async () => {
		const scripts = runner();
		await expect(async () => scripts.run(text('client.'), client)).rejects.toMatchObject({ name: 'SyntaxError' });
		expect(isMissing(scripts, 1)).toBe(true);
	});

	it.each([
		['an expression', 'this.size', 3],
		['an expression with await', 'await client.size', 3],
		['an object', '{ a: client.size }', { a: 3 }],
		['statements, by their last value', 'let n = client.size; n *= 2; n', 6],
		['statements with this', 'const n = this.size; n', 3],
		['a body with return', 'if (client.size) return "yes"; return "no"', 'yes'],
		['a body with await', 'const n = await 5; return n + this.size', 8],
		['a body with await and no return', 'const n = await 5', undefined],
		['a line comment at the end', 'client.size // three', 3],
		['nothing', '', undefined],
	])('reads %s', async (_, source, value) => {
		expect(await runner().run(text(source), client)).toEqual(value);
	});

	it('passes a function the client as its first argument and as this, and the context', async () => {
		const source = 'async function (client, context) { return [this === client, client.size, context] }';
		expect(await runner().run({ script: 1, text: { kind: 'function', source }, context: 'c' }, client)).toEqual([true, 3, 'c']);
	});

	it.each(['() => 1', 'Symbol()'])('rejects the result of %s, which cannot be encoded', async (source) => {
		await expect(async () => runner().run(text(source), client)).rejects.toMatchObject({ code: 'NOT_SERIALIZABLE' });
	});

	it("does not expose a script's variables to the process or the next script", async () => {
		const scripts = runner();
		await scripts.run(text('const leaked = 1; leaked'), client);
		await scripts.run(text('var alsoLeaked = 1; alsoLeaked', 2), client);
		expect(await scripts.run(text('typeof leaked + typeof alsoLeaked', 3), client)).toBe('undefinedundefined');
	});
});
