import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from '@shardctl/control';
import { canMount, fakeClock, isAlive, mountNotice, smallDisk, tempDir, waitFor } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { endOrphans, WorkerRecord } from './orphans.js';

/** A process that keeps running, in its own group as every worker is. */
function sleeper(): ChildProcess & { pid: number } {
	const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
	onTestFinished(() => void child.kill('SIGKILL'));
	return child as ChildProcess & { pid: number };
}

function setUp() {
	const path = join(tempDir(), 'bot.workers');
	const clock = fakeClock();
	const said: string[] = [];
	const logger = { warn: (_: unknown, text: string) => void said.push(text) } as never;
	return { path, clock, said, end: () => endOrphans(path, { clock, logger, signal: new AbortController().signal }) };
}

const recorded = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity[];

describe('WorkerRecord', () => {
	it('contains running processes, and is removed with the last', () => {
		const { path } = setUp();
		const [first, second] = [sleeper(), sleeper()];
		const record = new WorkerRecord(path);
		record.add(first.pid);
		record.add(second.pid);
		record.remove(first.pid);
		expect(recorded(path).map(({ pid }) => pid)).toEqual([second.pid]);
		record.remove(second.pid);
		expect(existsSync(path)).toBe(false);
	});

	it('never fails, because the fleet can run without it', () => {
		expect(() => new WorkerRecord('/no/such/folder/bot.workers').add(process.pid)).not.toThrow();
	});
});

it.runIf(canMount)(`finding 18: a record is kept true on a full disk${mountNotice}`, () => {
	const folder = smallDisk('64k');
	const path = join(folder, 'bot.workers');
	const record = new WorkerRecord(path);
	const [first, second, third] = [sleeper(), sleeper(), sleeper()];
	record.add(first.pid);
	expect(() => {
		for (;;) writeFileSync(join(folder, 'ballast'), Buffer.alloc(4096), { flag: 'a' });
	}).toThrow('ENOSPC');
	record.add(second.pid);
	expect(recorded(path).map(({ pid }) => pid)).toEqual([first.pid, second.pid]);
	record.remove(first.pid);
	record.add(third.pid);
	expect(recorded(path).map(({ pid }) => pid)).toEqual([second.pid, third.pid]);
	expect(existsSync(`${path}.new`)).toBe(false);
});

describe('endOrphans', () => {
	it('waits for one that exits by itself, and kills none', async () => {
		const { path, clock, said, end } = setUp();
		const child = sleeper();
		new WorkerRecord(path).add(child.pid);
		const ended = end();
		await clock.advance(1000);
		child.kill('SIGTERM');
		await waitFor('its end', () => !isAlive(child.pid));
		await clock.advance(200);
		await ended;
		expect(said).toEqual([expect.stringContaining(`left 1 process (${child.pid}) of its workers and gateways behind`)]);
		expect(existsSync(path)).toBe(false);
	});

	it('kills the remaining ones after five seconds, reports it, and waits until they are gone', async () => {
		const { path, clock, said, end } = setUp();
		const child = sleeper();
		new WorkerRecord(path).add(child.pid);
		let done = false;
		const ended = end().then(() => {
			done = true;
		});
		await clock.advance(4900);
		expect({ done, alive: isAlive(child.pid) }).toEqual({ done: false, alive: true });
		await clock.advance(200);
		await waitFor('its end', () => !isAlive(child.pid));
		await clock.advance(200);
		await ended;
		expect(said[1]).toContain('did not exit on their own and were killed');
	});

	it('leaves a process alone that only has the id of a recorded one', async () => {
		const { path, said, end } = setUp();
		const child = sleeper();
		const record = new WorkerRecord(path);
		record.add(child.pid);
		const [identity] = recorded(path) as [ProcessIdentity];
		writeFileSync(path, JSON.stringify([{ ...identity, startedAtTicks: '1' }, { pid: 1 }, { pid: 'x' }, null]));
		await end();
		expect(said).toEqual([]);
		expect(isAlive(child.pid)).toBe(true);
	});

	it.runIf(process.platform !== 'win32')('reads no pipe', async () => {
		const { path, said, end } = setUp();
		execFileSync('mkfifo', ['-m', '600', path]);
		await end();
		new WorkerRecord(path).add(process.pid);
		expect([said, recorded(path).length]).toEqual([[], 1]);
	});

	it('ignores an invalid record', async () => {
		const { path, said, end } = setUp();
		for (const text of ['', '{', '{}', '[[]]']) {
			writeFileSync(path, text);
			await end();
		}
		expect(said).toEqual([]);
	});
});
