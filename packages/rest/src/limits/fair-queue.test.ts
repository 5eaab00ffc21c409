import { expect, it } from 'vitest';
import { FairQueue } from './fair-queue.js';

const drained = (queue: FairQueue<number, string>) => {
	const items: (string | undefined)[] = [];
	while (queue.size > 0) items.push(queue.shift());
	return items;
};

it('takes turns between sources, and keeps the order of each', () => {
	const queue = new FairQueue<number, string>();
	for (const item of ['a1', 'a2', 'a3', 'a4']) queue.push(1, item);
	queue.push(2, 'b1');
	queue.push(3, 'c1');
	queue.push(2, 'b2');
	expect(drained(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
	expect(queue.shift()).toBeUndefined();
});

it('lets a source that comes later have the next free place but one of each other', () => {
	const queue = new FairQueue<number, string>();
	for (let n = 0; n < 100; n++) queue.push(1, `a${n}`);
	queue.shift();
	queue.push(2, 'b');
	expect([queue.shift(), queue.shift()]).toEqual(['a1', 'b']);
});

it('forgets what is taken out, and nothing else', () => {
	const queue = new FairQueue<number, string>();
	queue.push(1, 'a');
	queue.push(2, 'b');
	queue.remove(1, 'a');
	queue.remove(1, 'a');
	queue.remove(3, 'b');
	expect(queue.size).toBe(1);
	expect(drained(queue)).toEqual(['b']);
});
