// The records of a fleet that has ended.
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeClock, tempDir } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../fleet/fleet.js';
import { takeLock } from '../state-dir/lock.js';
import { type ManagerRecord, recordPath } from '../state-dir/manager-record.js';
import { processIdentity } from '../state-dir/process-identity.js';
import { describeEnd } from './describe-end.js';
import { type EndedFleet, endedFleets, historyDir, killedFleet, writeEnd } from './ended-fleet.js';
import { Journal } from './journal.js';
import { journalEvents, journalOutput } from './read-journal.js';

const minute = 60_000;

function record(more: Partial<ManagerRecord> = {}): ManagerRecord {
	return {
		...processIdentity(),
		name: 'bot',
		cwd: '/here',
		file: '/here/bot.js',
		since: 1000,
		command: ['shardctl', 'start'],
		...more,
	};
}

const killed = () => record({ pid: 4_194_000, startedAtTicks: '1' });

function ended(more: Partial<EndedFleet> = {}): EndedFleet {
	return { ...record(), endedAt: 5000, end: { how: 'stopped', code: null, message: 'stopped by SIGTERM' }, ...more };
}

describe('the end of a fleet', () => {
	it('is kept with its start options, and replaced by the next end of that name', () => {
		const dir = tempDir();
		writeEnd(dir, ended());
		writeEnd(dir, ended({ endedAt: 9000 }));
		expect(endedFleets({ SHARDCTL_STATE_DIR: dir })).toEqual([ended({ endedAt: 9000 })]);
		expect(readdirSync(historyDir(dir))).toEqual(['bot.end.json']);
	});

	it('of a killed manager is known by the record it left, which was touched while it ran', () => {
		const dir = tempDir();
		writeFileSync(recordPath(dir, 'bot'), JSON.stringify(killed()));
		utimesSync(recordPath(dir, 'bot'), 77, 77);
		expect(endedFleets({ SHARDCTL_STATE_DIR: dir })).toMatchObject(
			[
				{
					endedAt: 77_000,
					command: ['shardctl', 'start'],
					end: { how: 'killed', message: /process 4194000, was killed or crashed/ },
				},
			].map((fleet) => ({ ...fleet, end: { ...fleet.end, message: expect.stringMatching(fleet.end.message) } })),
		);
	});

	it('caused by a restart of the machine is reported as such', () => {
		expect(killedFleet(tempDir(), { ...killed(), boot: 'an earlier one' }).end.message).toBe('the machine was restarted');
	});

	it('of a killed manager is kept when its name is used again', async () => {
		const dir = tempDir();
		writeFileSync(recordPath(dir, 'bot'), JSON.stringify(killed()));
		const lock = await takeLock(dir, record(), (owner) => writeEnd(dir, killedFleet(dir, owner)));
		expect(endedFleets({ SHARDCTL_STATE_DIR: dir })).toMatchObject([{ pid: 4_194_000, end: { how: 'killed' } }]);
		lock.release();
	});

	it('does not exist for a running manager, nor in a damaged file', () => {
		const dir = tempDir();
		writeFileSync(recordPath(dir, 'bot'), JSON.stringify(record()));
		mkdirSync(historyDir(dir));
		writeFileSync(join(historyDir(dir), 'other.end.json'), '{ "pid": 1');
		expect(endedFleets({ SHARDCTL_STATE_DIR: dir })).toEqual([]);
	});

	it.each([
		['stopped', 'stopped by SIGTERM', 'it was stopped by SIGTERM 3 min ago'],
		[
			'failed',
			'2 of 2 workers were given up\n  worker 0: x\n  worker 1: y',
			'it failed 3 min ago: 2 of 2 workers were given up: worker 0: x …',
		],
		['killed', 'the machine was restarted', 'it ended 3 min ago: the machine was restarted'],
	] as const)('in words: %s', (how, message, words) => {
		expect(describeEnd({ endedAt: 0, end: { how, code: null, message } }, 3 * minute)).toBe(words);
	});
});

describe('the journal', () => {
	const entry = (line: string, at = 1): LogEntry => ({ at, workerId: 0, shardIds: [0], pid: 7, stream: 'stdout', line });

	function opened(dir: string) {
		const listeners: ((entry: LogEntry) => void)[] = [];
		const clock = fakeClock();
		const fleet = { name: 'bot', onLog: (listener: (entry: LogEntry) => void) => void listeners.push(listener) };
		const log = (of: LogEntry) => {
			for (const listener of listeners) listener(of);
		};
		return { journal: new Journal(dir, fleet, clock), clock, log };
	}

	it('keeps events at once and lines within a tenth of a second, over several runs of a fleet', async () => {
		const dir = tempDir();
		const env = { SHARDCTL_STATE_DIR: dir };
		const first = opened(dir);
		first.journal.event({ seq: 1, at: 1, type: 'shard:ready', shardId: 3, workerId: 1 });
		expect(journalEvents('bot', env)).toHaveLength(1);
		first.log(entry('one'));
		await first.clock.advance(100);
		expect(journalOutput('bot', env)).toEqual([entry('one')]);
		first.log(entry('two', 2));
		first.journal.close();
		const second = opened(dir);
		second.log(entry('three', 3));
		second.journal.close();
		expect(journalOutput('bot', env).map(({ line }) => line)).toEqual(['one', 'two', 'three']);
	});

	it('contains every line from before an event as soon as it contains the event', () => {
		const dir = tempDir();
		const { journal, log } = opened(dir);
		log(entry('logged in'));
		journal.event({ seq: 1, at: 1, type: 'shard:ready', shardId: 3, workerId: 1 });
		expect(journalOutput('bot', { SHARDCTL_STATE_DIR: dir })).toEqual([entry('logged in')]);
		journal.close();
	});

	it('stays within its limits, and skips a truncated line', () => {
		const dir = tempDir();
		const { journal, log } = opened(dir);
		for (let i = 0; i < 200; i++) log(entry('x'.repeat(100_000)));
		journal.close();
		const bytes = readdirSync(historyDir(dir)).reduce((sum, file) => sum + readFileSync(join(historyDir(dir), file)).length, 0);
		expect(bytes).toBeLessThan(9 * 2 ** 20);
		writeFileSync(join(historyDir(dir), 'bot.output.log'), `${JSON.stringify(entry('whole'))}\n{"at":`);
		expect(journalOutput('bot', { SHARDCTL_STATE_DIR: dir }).at(-1)).toMatchObject({ line: 'whole' });
	});
});
