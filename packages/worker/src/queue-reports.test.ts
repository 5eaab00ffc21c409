import { channel } from 'node:diagnostics_channel';
import { type QueueConnectionStatus, type QueueWorkerFigures, queueChannel } from '@shardctl/core';
import { expect, it, vi } from 'vitest';
import { followQueue } from './queue-reports.js';

it('reports what becomes of a connection, and closes it when the worker ends', async () => {
	const reports: [QueueConnectionStatus, QueueWorkerFigures][] = [];
	const handlers: (() => unknown)[] = [];
	followQueue({
		onShutdown: (handler) => void handlers.push(() => handler('the end')),
		reportQueue: (status, figures) => void reports.push([status, figures()]),
	});
	const counters = { partitions: 4, inHand: 1, handled: 7, redelivered: 0, expired: 0, missed: 0, dead: 0 };
	const connection = {
		group: 'commands',
		stats: () => ({ ...counters, members: 2 }),
		close: vi.fn<() => Promise<void>>(async () => {}),
	};
	for (const status of ['connected', 'joined'] as const) channel(queueChannel).publish({ connection, status });
	expect(reports).toEqual([
		['connected', { group: 'commands', ...counters }],
		['joined', { group: 'commands', ...counters }],
	]);
	expect(handlers.length).toBe(1);
	await handlers[0]?.();
	expect(connection.close).toHaveBeenCalledOnce();
});
