import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { createIdentifyThrottler } from './identify-throttler.js';

it('waits at the gate and confirms at READY, in the form of either version of @discordjs/ws', async () => {
	const calls: string[] = [];
	const gate = {
		wait: async (shardId: number) => void calls.push(`wait ${shardId}`),
		confirm: (shardId: number) => void calls.push(`confirm ${shardId}`),
	};
	const manager = new EventEmitter();
	const throttler = createIdentifyThrottler(gate, manager as never);
	await throttler.waitForIdentify(4, AbortSignal.abort());
	manager.emit('ready', { data: {}, shardId: 4 });
	manager.emit('ready', {}, 5);
	expect(calls).toEqual(['wait 4', 'confirm 4', 'confirm 5']);
});
