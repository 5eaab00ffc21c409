import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { takeLock } from './lock.js';
import { type ManagerRecord, readRecord, recordPath } from './manager-record.js';
import { processIdentity } from './process-identity.js';

const gone = { pid: 4_194_000, startedAtTicks: '1', boot: null, namespace: null };

function record(identity = processIdentity(), since = Date.now()): ManagerRecord {
	return { ...identity, name: 'bot', cwd: '/here', file: '/here/bot.js', since };
}

describe('a name', () => {
	it('is taken by one, refused to the next with who has it, and free after', async () => {
		const dir = tempDir();
		const lock = await takeLock(dir, record());
		await expect(takeLock(dir, record())).rejects.toMatchObject({ code: 'MANAGER_RUNNING', details: { pid: process.pid } });
		lock.release();
		expect(readdirSync(dir)).toEqual([]);
		(await takeLock(dir, record())).release();
	});

	it('of a manager that is gone is taken over by one of many that try at once', async () => {
		const dir = tempDir();
		writeFileSync(recordPath(dir, 'bot'), JSON.stringify(record(gone)));
		const tries = await Promise.allSettled(
			Array.from({ length: 20 }, (_, since) => takeLock(dir, record(processIdentity(), since))),
		);
		expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
		expect(readdirSync(dir)).toEqual(['bot.lock']);
	});

	it('with an unreadable record is taken over', async () => {
		const dir = tempDir();
		writeFileSync(recordPath(dir, 'bot'), '{ "pid": 12');
		await takeLock(dir, record());
		expect(readRecord(recordPath(dir, 'bot'))?.pid).toBe(process.pid);
	});

	it('stays with a process that cannot be seen from here but answers on its socket', async () => {
		const dir = tempDir();
		writeFileSync(recordPath(dir, 'bot'), JSON.stringify(record(gone)));
		const server = createServer().listen(join(dir, 'bot.sock'));
		onTestFinished(() => void server.close());
		await expect(takeLock(dir, record())).rejects.toMatchObject({ code: 'MANAGER_RUNNING' });
	});

	it('is not released by one that lost it to another', async () => {
		const dir = tempDir();
		const lock = await takeLock(dir, record(processIdentity(), 1));
		const other = JSON.stringify(record(gone, 2));
		writeFileSync(recordPath(dir, 'bot'), other);
		lock.release();
		expect(readRecord(recordPath(dir, 'bot'))?.pid).toBe(gone.pid);
	});
});
