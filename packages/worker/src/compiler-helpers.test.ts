import { expect, it } from 'vitest';
import { helpersOf } from './compiler-helpers.js';

const none = () => undefined;

it('includes the helpers that a script refers to, and no others', () => {
	expect(helpersOf('(client) => client.guilds.cache.size', none)).toEqual({});
	expect(
		Object.keys(helpersOf('() => { const f = __name(() => {}, "f"); return __spreadProps(__spreadValues({}, a), b); }', none)),
	).toEqual(['__name', '__spreadProps', '__spreadValues']);
});

it('ignores a name that the script declares, that is a property, or that is unknown', () => {
	expect(helpersOf('() => { function __name(f) { return f; } return __name(1) + x.__spreadValues + __unknown; }', none)).toEqual(
		{},
	);
});

it("takes TypeScript's helpers from tslib, if installed", () => {
	const tslib = { __awaiter: () => 1 };
	expect(helpersOf('() => __awaiter(this)', () => tslib)).toEqual({ __awaiter: tslib.__awaiter });
	expect(helpersOf('() => tslib_1.__awaiter(this)', () => tslib)).toEqual({ tslib_1: tslib });
	expect(helpersOf('() => __awaiter(this) + tslib_1.__rest({})', none)).toEqual({});
});

it('behaves as the helpers of esbuild do', async () => {
	const helpers = helpersOf('__name __objRest __async __publicField', none);
	const run = (name: string, ...args: unknown[]) => (helpers[name] as (...given: unknown[]) => unknown)(...args);
	expect(run('__name', () => {}, 'given')).toHaveProperty('name', 'given');
	expect(run('__objRest', { a: 1, b: 2, c: 3 }, ['b'])).toEqual({ a: 1, c: 3 });
	const object = {};
	run('__publicField', object, 'x', 4);
	expect(object).toEqual({ x: 4 });
	const sum = run('__async', null, [2], function* (n: number): Generator<unknown, number, number> {
		return n + (yield Promise.resolve(3));
	});
	expect(await sum).toBe(5);
	const failing = run('__async', null, null, function* () {
		yield Promise.reject(new Error('no'));
	});
	await expect(failing).rejects.toThrow('no');
});
