import type { QueueGroupStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import { queueText } from './queue-table.js';

const group: QueueGroupStats = {
	group: 'commands',
	events: ['INTERACTION_CREATE'],
	members: 2,
	partitions: 32,
	lag: 0,
	pending: 0,
	oldestAgeMs: 0,
	handledPerSecond: 0,
	redelivered: 3,
	expired: 1234,
	missed: 0,
	dead: 0,
	behind: [],
};
const written = { written: 9, writtenPerSecond: 0, deferred: 0, deferFailed: 0 };
const stats = { connected: true, shards: 2, partitionsPerShard: 16, ...written, groups: [group] };
const words = (width: number) =>
	queueText(stats, width)
		.split('\n')
		.slice(0, 2)
		.map((line) => line.trim().split(/ {2,}/));

it('shows how many interactions of each group were too old to be answered', () => {
	const [titles = [], cells = []] = words(200);
	expect(cells[titles.indexOf('EXPIRED')]).toBe('1,234');
	expect(cells[titles.indexOf('REDELIVERED')]).toBe('3');
});

it('keeps what was lost on a narrow screen', () => {
	const [titles] = words(80);
	expect(titles).toEqual(expect.arrayContaining(['LAG', 'EXPIRED', 'MISSED', 'DEAD']));
});

it('says why events are not written, how many wait, and what to do', () => {
	const error = "Redis at redis://127.0.0.1:6379 refused queue.append: OOM command not allowed when used memory > 'maxmemory'";
	const unwritten = { shardIds: [0, 1, 2], since: Date.now() - 65_000, error, waiting: 1234 };
	const text = queueText({ ...stats, unwritten });
	expect(text).toContain('Not written for 1m: 1,234 events of shards 0-2 wait in their gateway processes.');
	expect(text).toContain(`${error}: raise maxmemory of Redis`);
	const away = queueText({ ...stats, connected: false, unwritten });
	expect(away).toContain('Redis does not answer; these are the last figures.\nNot written for');
});

it('says how many interactions the gateway processes have deferred, where they do', () => {
	expect(queueText(stats)).toContain('in 32 partitions\n');
	expect(queueText({ ...stats, deferred: 12, deferFailed: 1 })).toContain('in 32 partitions; 12 interactions deferred, 1 not\n');
});
