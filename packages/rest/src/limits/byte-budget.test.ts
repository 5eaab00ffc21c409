import { expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.js';

const never = new AbortController().signal;
const turn = () => new Promise(setImmediate);

it('lets bodies wait in line until there is room, and small ones never', async () => {
	const budget = new ByteBudget({ totalBytes: 100, smallBytes: 10 });
	const admitted: string[] = [];
	const ask = (name: string, bytes: number, signal = never) =>
		void budget.take(bytes, signal).then(
			() => admitted.push(name),
			() => {},
		);
	const gone = new AbortController();
	ask('a', 80);
	ask('b', 60);
	ask('gone', 90, gone.signal);
	ask('c', 20);
	ask('small', 10);
	await turn();
	expect([admitted, budget.used, budget.waiting]).toEqual([['a', 'small'], 90, 3]);
	gone.abort();
	budget.giveBack(80);
	await turn();
	expect([admitted, budget.used, budget.waiting]).toEqual([['a', 'small', 'b', 'c'], 90, 0]);
});

it('admits what is larger than the whole budget when it is alone', async () => {
	const budget = new ByteBudget({ totalBytes: 100, smallBytes: 10 });
	await budget.take(500, never);
	budget.giveBack(500);
	expect(budget.used).toBe(0);
});

it('rejects with the reason of a signal that is aborted already', async () => {
	const budget = new ByteBudget({ totalBytes: 100, smallBytes: 10 });
	await expect(budget.take(50, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
	expect(budget.used).toBe(0);
});
