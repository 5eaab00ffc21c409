// Runs a command in a real terminal of 80 columns and 24 rows (by `script` of util-linux), and types into it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { waitFor } from '@shardctl/test-support';

const bin = fileURLToPath(new URL('../bin/shardctl.js', import.meta.url));

/** Whether this machine has a program; tests that need it are skipped otherwise. */
export const hasProgram = (name: string): boolean => spawnSync(name, ['--version']).status === 0;

/** What has not ended by then hangs; the error includes what the terminal shows. */
const limitMs = 60_000;

export interface TerminalRun {
	/** All output so far, control sequences included. */
	raw(): string;
	/** The same as text. */
	text(): string;
	type(keys: string): void;
	/** Waits until the output since the last call matches. */
	shows(pattern: RegExp): Promise<void>;
	/** The exit status, once the terminal is closed. */
	exit: Promise<number>;
}

/** @param after A shell command that runs in the same terminal once `shardctl` has ended. */
export function inTerminal(
	args: readonly string[],
	{ cwd = process.cwd(), env = {}, after = 'true' }: { cwd?: string; env?: Record<string, string>; after?: string } = {},
): TerminalRun {
	const quoted = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(' ');
	const command = `stty cols 80 rows 24; ${quoted}; status=$?; ${after}; exit $status`;
	const child = spawn('script', ['-qec', command, '/dev/null'], {
		cwd,
		env: { ...process.env, TERM: 'xterm-256color', ...env },
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	let written = '';
	let seen = 0;
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		written += text;
	});
	return {
		raw: () => written,
		text: () => stripVTControlCharacters(written),
		type: (keys) => child.stdin.write(keys),
		async shows(pattern) {
			await waitFor(`${pattern} in the terminal`, () => pattern.test(stripVTControlCharacters(written.slice(seen))));
			seen = written.length;
		},
		exit: once(child, 'close', { signal: AbortSignal.timeout(limitMs) }).then(
			([code]) => code as number,
			() => {
				child.kill();
				throw new Error(`it did not end; the terminal shows:\n${stripVTControlCharacters(written)}`);
			},
		),
	};
}
