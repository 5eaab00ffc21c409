import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { socketPath, stateDir, stateDirCandidates } from './state-dir.js';

const fallback = join(tmpdir(), `shardctl-${process.getuid?.() ?? 'user'}`);

describe('possible folders for records', () => {
	it.each([
		['what was asked for, alone', { SHARDCTL_STATE_DIR: '/s', XDG_STATE_HOME: '/x', HOME: '/h' }, ['/s']],
		[
			'what systemd gave the unit first',
			{ RUNTIME_DIRECTORY: '/run/bot:/run/b', STATE_DIRECTORY: '/var/lib/bot', HOME: '/h' },
			['/run/bot/shardctl', '/var/lib/bot/shardctl', '/h/.local/state/shardctl', fallback],
		],
		[
			'the home, before the folder that goes at logout',
			{ HOME: '/h', XDG_RUNTIME_DIR: '/run/user/1' },
			['/h/.local/state/shardctl', '/run/user/1/shardctl', fallback],
		],
		['a container whose home is the root', { HOME: '/' }, [fallback]],
	])('%s', (_, env, dirs) => {
		expect(stateDirCandidates(env)).toEqual(dirs);
	});
});

describe('the folder of a new manager', () => {
	it('is created for this user only', () => {
		const dir = join(tempDir(), 'deep', 'state');
		expect(stateDir({ SHARDCTL_STATE_DIR: dir })).toBe(dir);
		expect(statSync(dir).mode & 0o777).toBe(0o700);
	});

	it.runIf(process.platform !== 'win32')('finding 13: keeps its mode', () => {
		const dir = tempDir();
		chmodSync(dir, 0o755);
		expect(stateDir({ SHARDCTL_STATE_DIR: dir })).toBe(dir);
		expect(statSync(dir).mode & 0o7777).toBe(0o755);
	});

	it.runIf(process.platform !== 'win32').each([0o1777, 0o770, 0o702])(
		'finding 13: is rejected when others can write it, and keeps its mode (%o)',
		(mode) => {
			const dir = tempDir();
			chmodSync(dir, mode);
			expect(() => stateDir({ SHARDCTL_STATE_DIR: dir })).toThrow(
				`${dir}: other users can write to it (mode ${mode.toString(8)}); name a folder of its own in it`,
			);
			expect(statSync(dir).mode & 0o7777).toBe(mode);
		},
	);

	it('is the next one when the first cannot be used', () => {
		const root = tempDir();
		writeFileSync(join(root, 'home'), 'a file, so that no folder can be made in it');
		mkdirSync(join(root, 'run'));
		expect(stateDir({ HOME: join(root, 'home'), XDG_RUNTIME_DIR: join(root, 'run') })).toBe(join(root, 'run', 'shardctl'));
	});

	it('that cannot be created is reported with the reason and the remedy', () => {
		const file = join(tempDir(), 'file');
		writeFileSync(file, '');
		expect(() => stateDir({ SHARDCTL_STATE_DIR: join(file, 'x') })).toThrow(
			/set SHARDCTL_STATE_DIR to a folder that this user can write[\s\S]*ENOTDIR/,
		);
	});
});

it('rejects a socket path that the system would truncate', () => {
	expect(() => socketPath(`/${'x'.repeat(110)}`, 'bot')).toThrow(/longer than the 10[37] bytes/);
	expect(socketPath('/run/x', 'bot')).toBe('/run/x/bot.sock');
});

describe('the named pipe on Windows', () => {
	const folder = 'C:\\Users\\Jo Ann\\AppData\\Local\\shardctl';
	const pipe = (dir: string, name = 'bot') => socketPath(dir, name, 'win32');

	it('is named after the folder and the manager, without a backslash of its own', () => {
		expect(pipe(folder)).toBe('\\\\.\\pipe\\shardctl-c-users-jo-ann-appdata-local-shardctl-bot');
	});

	it('is the same for every spelling of the path, and different for another folder or name', () => {
		expect(pipe(folder.toUpperCase())).toBe(pipe(folder));
		expect(pipe(`${folder}\\`)).toBe(pipe(folder));
		expect(new Set([pipe(folder), pipe(`${folder}2`), pipe(folder, 'other')]).size).toBe(3);
	});

	it('is never longer than a pipe name may be', () => {
		expect(pipe(`C:\\${'x'.repeat(400)}`, 'n'.repeat(64)).length).toBeLessThanOrEqual(256);
	});
});
