import { expect, it } from 'vitest';
import { Condition } from './condition.js';

it('resolves at once when it holds, or later when a check finds that it does', async () => {
	let holds = true;
	const condition = new Condition(() => holds);
	await condition.wait();
	holds = false;
	let resolved = 0;
	const waiting = [condition.wait(), condition.wait()].map((each) => each.then(() => resolved++));
	condition.check();
	await Promise.resolve();
	expect([resolved, condition.isAwaited]).toEqual([0, true]);
	holds = true;
	condition.check();
	await Promise.all(waiting);
	expect([resolved, condition.isAwaited]).toEqual([2, false]);
});
