import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { expect, it, onTestFinished } from 'vitest';
import { publishEvent, publishIdentify, tracedCall } from './channels.js';

/** What arrives on a channel until the test ends. */
function heardOn(name: string): unknown[] {
	const heard: unknown[] = [];
	const listener = (message: unknown) => void heard.push(message);
	subscribe(name, listener);
	onTestFinished(() => void unsubscribe(name, listener));
	return heard;
}

it('publishes the events of a fleet with its name, each on one channel', () => {
	const names = ['spawn', 'ready', 'exit', 'deploy', 'identify', 'move'].map((name) => `shardctl:${name}`);
	const [spawn, ready, exit, deploy, identify, move] = names.map(heardOn);
	publishEvent('music', 'worker:spawned', { workerId: 1, shardIds: [2, 3], pid: 7, epoch: 1 });
	publishEvent('music', 'gateway:exited', { gatewayId: 0, message: 'gone' });
	publishEvent('music', 'worker:ready', { workerId: 1 });
	publishEvent('music', 'deploy:progress', { id: 1, state: 'replacing' });
	publishIdentify('music', { session: 3, waitedMs: 5000 });
	publishEvent('music', 'cluster:session-ready', { sessions: [3], shardIds: [3], how: 'moved', tookMs: 800 });
	expect(spawn).toEqual([{ manager: 'music', type: 'worker:spawned', workerId: 1, shardIds: [2, 3], pid: 7, epoch: 1 }]);
	expect(ready).toMatchObject([{ type: 'worker:ready' }]);
	expect(exit).toMatchObject([{ type: 'gateway:exited', message: 'gone' }]);
	expect(deploy).toMatchObject([{ type: 'deploy:progress', state: 'replacing' }]);
	expect(identify).toEqual([{ manager: 'music', type: 'identify:sent', session: 3, waitedMs: 5000 }]);
	expect(move).toMatchObject([{ manager: 'music', type: 'cluster:session-ready', sessions: [3], how: 'moved' }]);
});

it('ignores what has no channel, such as the lines of a bot', () => {
	const heard = ['spawn', 'ready', 'exit', 'deploy', 'identify', 'move'].map((name) => heardOn(`shardctl:${name}`));
	publishEvent('music', 'worker:log', { line: 'hello' });
	publishEvent('music', 'message', { message: 'toString' });
	expect(heard.flat()).toEqual([]);
});

it('copies nothing where there is no subscriber', () => {
	const payload = { workerId: 1, shardIds: [2, 3], pid: 7, epoch: 1 };
	let reads = 0;
	Object.defineProperty(payload, 'pid', { enumerable: true, get: () => ++reads });
	publishEvent('music', 'worker:spawned', payload);
	expect(reads).toBe(0);
	heardOn('shardctl:spawn');
	publishEvent('music', 'worker:spawned', payload);
	expect(reads).toBe(1);
});

it('traces a call from its begin to its result or its error', async () => {
	const trace = { manager: 'music', method: 'call' as const, name: 'play', workers: 1 };
	expect(await tracedCall(trace, async () => 1)).toBe(1);
	const steps: [string, object][] = [];
	const note = (step: string) => (message: object) => void steps.push([step, { ...message }]);
	const subscribers = {
		start: note('start'),
		end: note('end'),
		asyncStart: note('asyncStart'),
		asyncEnd: note('asyncEnd'),
		error: note('error'),
	};
	const channel = tracingChannel('shardctl:call');
	channel.subscribe(subscribers);
	onTestFinished(() => {
		channel.unsubscribe(subscribers);
	});
	expect(await tracedCall({ ...trace }, async () => 42)).toBe(42);
	expect(steps.map(([step]) => step)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
	expect(steps.at(-1)?.[1]).toEqual({ ...trace, result: 42 });
	steps.length = 0;
	await expect(tracedCall({ ...trace }, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
	expect(steps.map(([step]) => step)).toContain('error');
	expect(steps.at(-1)?.[1]).toMatchObject({ name: 'play', error: new Error('no') });
});
