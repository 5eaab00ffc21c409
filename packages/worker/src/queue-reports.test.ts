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

it('reports the newest connection that is open, and closes all that are when the worker ends', async () => {
	const reports: [QueueConnectionStatus, number][] = [];
	const handlers: (() => unknown)[] = [];
	followQueue({
		onShutdown: (handler) => void handlers.push(() => handler('the end')),
		reportQueue: (status, figures) => void reports.push([status, figures().handled]),
	});
	const connectionOf = (handled: number) => ({
		group: 'commands',
		stats: () => ({ partitions: 1, inHand: 0, handled, redelivered: 0, expired: 0, missed: 0, dead: 0, members: 1 }),
		close: vi.fn<() => Promise<void>>(async () => {}),
	});
	const [first, second, third] = [connectionOf(1), connectionOf(2), connectionOf(3)];
	const report = (connection: typeof first, status: QueueConnectionStatus) =>
		channel(queueChannel).publish({ connection, status });
	report(first, 'joined');
	report(second, 'joined');
	// The older one ends, and would have been the worker's from here on.
	report(first, 'waiting');
	report(first, 'closed');
	report(third, 'connected');
	report(third, 'closed');
	expect(reports).toEqual([
		['joined', 1],
		['joined', 2],
		['connected', 3],
		['joined', 2],
	]);
	expect(handlers.length).toBe(1);
	await handlers[0]?.();
	expect([first, second, third].map(({ close }) => close.mock.calls.length)).toEqual([0, 1, 0]);
	report(second, 'closed');
	expect(reports.at(-1)).toEqual(['closed', 2]);
});
