import { spawn } from 'node:child_process';
import { chmodSync, chownSync, lchownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { endedFleets } from '../history/ended-fleet.js';
import { recordPath, runningManagers } from './manager-record.js';
import { processIdentity } from './process-identity.js';

const isPosix = process.platform !== 'win32';
const isRoot = isPosix && process.getuid?.() === 0;
const needsRoot = isRoot ? '' : ' (skipped: needs root, to make files of another user)';
const other = 65_534;

function record(name: string) {
	return JSON.stringify({ ...processIdentity(), name, cwd: '/', file: '/bot.js', since: 1 });
}

/** A folder with the record of a running manager, and with the end of another. */
function folder(mode = 0o700): string {
	const dir = join(tempDir(), 'state');
	mkdirSync(join(dir, 'history'), { recursive: true, mode: 0o700 });
	writeFileSync(recordPath(dir, 'prod'), record('prod'), { mode: 0o600 });
	const end = { ...JSON.parse(record('gone')), endedAt: 2, end: { how: 'stopped', code: null, message: 'x' } };
	writeFileSync(join(dir, 'history', 'gone.end.json'), JSON.stringify(end), { mode: 0o600 });
	chmodSync(dir, mode);
	return dir;
}

function seen(env: Record<string, string>): { running: string[]; ended: string[] } {
	return { running: runningManagers(env).map(({ name }) => name), ended: endedFleets(env).map(({ name }) => name) };
}

const everything = { running: ['prod'], ended: ['gone'] };
const nothing = { running: [], ended: [] };

describe.runIf(isPosix)('finding 9: records are trusted', () => {
	it('of this user, in a folder that only this user can write', () => {
		expect(seen({ SHARDCTL_STATE_DIR: folder() })).toEqual(everything);
		expect(seen({ SHARDCTL_STATE_DIR: folder(0o755) })).toEqual(everything);
	});

	it.each([0o1777, 0o777, 0o770])('never in a folder that others can write (mode %o)', (mode) => {
		expect(seen({ SHARDCTL_STATE_DIR: folder(mode) })).toEqual(nothing);
	});

	it('never when others can write the file', () => {
		const dir = folder();
		chmodSync(recordPath(dir, 'prod'), 0o666);
		chmodSync(join(dir, 'history', 'gone.end.json'), 0o666);
		expect(seen({ SHARDCTL_STATE_DIR: dir })).toEqual(nothing);
	});

	it("never through a link, nor under another name than the file's", () => {
		const dir = folder();
		symlinkSync(recordPath(dir, 'prod'), recordPath(dir, 'linked'));
		writeFileSync(recordPath(dir, 'second'), record('third'), { mode: 0o600 });
		expect(seen({ SHARDCTL_STATE_DIR: dir })).toEqual(everything);
	});

	it.runIf(isRoot)(`never of another user${needsRoot}`, () => {
		const [theirs, file] = [folder(), folder()];
		chownSync(theirs, other, other);
		chownSync(recordPath(file, 'prod'), other, other);
		chownSync(join(file, 'history', 'gone.end.json'), other, other);
		// As a candidate that any user could have created.
		const base = tempDir();
		symlinkSync(theirs, join(base, 'shardctl'));
		lchownSync(join(base, 'shardctl'), other, other);
		expect(seen({ HOME: '/', XDG_STATE_HOME: base, TMPDIR: base })).toEqual(nothing);
		expect(seen({ SHARDCTL_STATE_DIR: file })).toEqual(nothing);
	});

	it.runIf(isRoot)(`of another user by root, who has named the folder${needsRoot}`, () => {
		const theirs = folder();
		for (const path of [theirs, recordPath(theirs, 'prod'), join(theirs, 'history', 'gone.end.json')])
			chownSync(path, other, other);
		expect(seen({ SHARDCTL_STATE_DIR: theirs })).toEqual(everything);
	});

	it.runIf(isRoot)(`never when the socket belongs to another user${needsRoot}`, async () => {
		const dir = folder();
		const server = createServer();
		await new Promise<void>((resolve) => server.listen(join(dir, 'prod.sock'), resolve));
		onTestFinished(() => void server.close());
		chmodSync(join(dir, 'prod.sock'), 0o600);
		expect(seen({ SHARDCTL_STATE_DIR: dir }).running).toEqual(['prod']);
		chownSync(join(dir, 'prod.sock'), other, other);
		expect(seen({ SHARDCTL_STATE_DIR: dir }).running).toEqual([]);
	});
});

it.runIf(process.platform === 'linux')(
	'finding 14: a manager that exited and was not reaped does not count as running',
	async () => {
		const parent = spawn('sh', ['-c', 'sleep 1000 & echo $!; exec sleep 1000'], { stdio: ['ignore', 'pipe', 'ignore'] });
		onTestFinished(() => void parent.kill('SIGKILL'));
		const pid = Number(await new Promise((resolve) => parent.stdout?.once('data', (data: Buffer) => resolve(data.toString()))));
		// As long as it is the shell, it may reap what it has started.
		await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n');
		const dir = folder();
		writeFileSync(recordPath(dir, 'prod'), JSON.stringify({ ...JSON.parse(record('prod')), ...processIdentity(pid) }), {
			mode: 0o600,
		});
		expect(seen({ SHARDCTL_STATE_DIR: dir }).running).toEqual(['prod']);
		process.kill(pid, 'SIGKILL');
		await expect.poll(() => seen({ SHARDCTL_STATE_DIR: dir })).toEqual({ running: [], ended: ['prod', 'gone'] });
		// Its parent still does not reap it: it has an id.
		expect(() => process.kill(pid, 0)).not.toThrow();
	},
);
