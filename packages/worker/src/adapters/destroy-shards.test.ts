import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { destroyShards } from './destroy-shards.js';

function managerOf(...connections: ((EventEmitter & { readyState: number }) | null)[]) {
	return { strategy: { shards: new Map(connections.map((connection, id) => [id, { connection }])) } };
}

const socket = (readyState = 1) => Object.assign(new EventEmitter(), { readyState });
const never = () => new Promise<void>(() => {});

it('is done when destroy() is', async () => {
	await destroyShards(managerOf(socket()), async () => {});
	await expect(destroyShards(managerOf(socket()), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});

it('is done when every open socket is closed, if destroy() never settles', async () => {
	const [one, two] = [socket(), socket()];
	let done = false;
	const over = destroyShards(managerOf(one, null, two, socket(3)), never).then(() => {
		done = true;
	});
	one.emit('close');
	await new Promise(setImmediate);
	expect(done).toBe(false);
	two.emit('close');
	await over;
});

it('relies on destroy() when no socket is known', async () => {
	let destroyed = false;
	for (const manager of [undefined, {}, managerOf(null)]) {
		await destroyShards(manager, async () => {
			destroyed = true;
		});
		expect(destroyed).toBe(true);
		destroyed = false;
	}
});

it('waits for the sockets of a manager that owns its shards, when destroy() reports nothing', async () => {
	const open = socket();
	let done = false;
	const over = destroyShards(managerOf(open).strategy, () => undefined).then(() => {
		done = true;
	});
	await new Promise(setImmediate);
	expect(done).toBe(false);
	open.emit('close');
	await over;
});
