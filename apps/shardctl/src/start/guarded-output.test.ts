import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir, waitFor } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GuardedOutput, type Loss } from './guarded-output.js';

const lossLine = ({ lines, code }: Loss) => `lost ${lines} ${code}\n`;

function opened(path: string, flags: number | string = 'a'): { fd: number } {
	const fd = openSync(path, flags);
	onTestFinished(() => closeSync(fd));
	return { fd };
}

describe.runIf(process.platform === 'linux')('finding 7: output that cannot be written', () => {
	it('is dropped without an error', () => {
		const output = new GuardedOutput(opened('/dev/full'), lossLine);
		expect(() => {
			output.write('a\n');
			output.write('b\nc\n');
			output.close();
		}).not.toThrow();
	});

	it('is written to a file line by line', () => {
		const path = join(tempDir(), 'log');
		writeFileSync(path, 'before\n');
		const output = new GuardedOutput(opened(path), lossLine);
		output.write('a\n');
		output.write('b\n');
		expect(readFileSync(path, 'utf8')).toBe('before\na\nb\n');
		output.close();
	});

	it('waits for a slow reader, up to a limit, and reports how much was lost', async () => {
		const path = join(tempDir(), 'pipe');
		execFileSync('mkfifo', [path]);
		const reader = opened(path, constants.O_RDONLY | constants.O_NONBLOCK);
		const output = new GuardedOutput(opened(path, constants.O_WRONLY), lossLine);
		const line = `${'x'.repeat(1023)}\n`;
		const began = performance.now();
		for (let i = 0; i < 6000; i++) output.write(line);
		expect(performance.now() - began).toBeLessThan(2000);
		let read = '';
		const buffer = Buffer.alloc(1 << 20);
		const readAll = () => {
			try {
				for (let bytes = 1; bytes > 0; ) {
					bytes = readSync(reader.fd, buffer);
					read += buffer.toString('utf8', 0, bytes);
				}
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
			}
			return read.length;
		};
		let last = -1;
		await waitFor('all that waited', () => {
			const before = last;
			last = readAll();
			return last >= 4 * 2 ** 20 && last === before;
		});
		output.write('the end\n');
		await waitFor('the last line', () => {
			readAll();
			return read.endsWith('the end\n');
		});
		const lines = read.split('\n').slice(0, -1);
		const lost = Number(/^lost (\d+) EAGAIN$/.exec(lines.at(-2) ?? '')?.[1]);
		expect(lost).toBeGreaterThan(500);
		expect(lines.filter((text) => text === line.trimEnd())).toHaveLength(6000 - lost);
		output.close();
	});

	it('is dropped when the reader has closed the pipe', () => {
		const path = join(tempDir(), 'pipe');
		execFileSync('mkfifo', [path]);
		const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
		const output = new GuardedOutput(opened(path, constants.O_WRONLY), lossLine);
		closeSync(reader);
		expect(() => {
			output.write('a\n');
			output.write('b\n');
			output.close();
		}).not.toThrow();
	});
});
