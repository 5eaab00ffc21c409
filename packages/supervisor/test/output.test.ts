// What processes write: nothing is lost or mixed up, and heavy output is not treated as a fault.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir, waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { event, started } from './real-child.js';

/** The lines of one stream that the child wrote by script. */
async function linesAfter(script: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string[]> {
	const { child, run, messages } = await started();
	const lines: string[] = [];
	child.on('log', (entry) => {
		if (entry.stream === stream) lines.push(entry.line);
	});
	run(`${script}; process.send({ wrote: true })`);
	await waitFor('the writing', () => messages.length > 0 || child.pid === null);
	await child.stop();
	return lines;
}

/** Blocks this thread without using processor time. */
function pauseThread(ms: number): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('output', () => {
	it('joins a line that is written in pieces, also when a character is split', async () => {
		const script = `
			const bytes = Buffer.from('grüße 😀 an alle\\n');
			const { writeSync } = require('node:fs');
			for (const byte of bytes) writeSync(1, Buffer.of(byte))`;
		expect(await linesAfter(script)).toEqual(['grüße 😀 an alle']);
	});

	it('never mixes the two streams, however they alternate', async () => {
		const { child, run } = await started();
		run(`
			const { writeSync } = require('node:fs');
			for (let i = 0; i < 500; i++) { writeSync(1, 'out '); writeSync(2, 'err '); writeSync(1, i + '\\n'); writeSync(2, i + '\\n'); }
			process.exit()`);
		const lines = { stdout: [] as string[], stderr: [] as string[] };
		child.on('log', ({ stream, line }) => lines[stream].push(line));
		await event(child, 'exited');
		const numbers = Array.from({ length: 500 }, (_, i) => i);
		expect(lines).toEqual({ stdout: numbers.map((i) => `out ${i}`), stderr: numbers.map((i) => `err ${i}`) });
	});

	it('truncates an endless line, and reports how much was cut', async () => {
		const [line, next] = await linesAfter("process.stdout.write('x'.repeat(10 * 2 ** 20) + '\\nnext')");
		expect(line).toBe(`${'x'.repeat(32 * 1024)} … [cut: ${10 * 2 ** 20 - 32 * 1024} more bytes]`);
		expect(next).toBe('next');
	});

	it('finding 10: reads as many lines of a flood as the budget allows, counts the others, and keeps the last ones', async () => {
		const { child, run, messages } = await started();
		let count = 0;
		let leftOut = 0;
		const lines: string[] = [];
		child.on('log', ({ line }) => {
			const more = /^… \[left out: (\d+) more lines\]$/.exec(line)?.[1];
			if (more === undefined) {
				count++;
				lines.push(line);
			} else leftOut += Number(more);
		});
		run("for (let i = 1; i <= 100_000; i++) process.stdout.write('line ' + i + '\\n'); process.send({ wrote: true })");
		await waitFor('the writing', () => messages.length > 0);
		await child.stop();
		expect(count + leftOut).toBe(100_000);
		expect(count).toBeGreaterThanOrEqual(10_000);
		expect(leftOut).toBeGreaterThan(0);
		expect(lines.slice(0, 5000)).toEqual(Array.from({ length: 5000 }, (_, i) => `line ${i + 1}`));
		expect(lines.slice(-100)).toEqual(Array.from({ length: 100 }, (_, i) => `line ${99_901 + i}`));
		expect(child.recentLogs()).toHaveLength(500);
	});

	it('finding 10: the exit report of a process that dies in a flood includes its last lines', async () => {
		const { child, run } = await started();
		const exited = event(child, 'exited');
		run(
			"const noise = 'noise\\n'.repeat(1000); for (let i = 0; i < 100; i++) process.stderr.write(noise); process.stderr.write('', () => { throw new Error('the end'); })",
		);
		const report = await exited;
		expect(report.message).toContain('the end');
		expect(report.stderrTail.join('\n')).toContain('Error: the end');
	});

	it('does not block the bot while the owner does not read', async () => {
		const { run } = await started();
		const written = join(tempDir(), 'written');
		run(`for (let i = 0; i < 20_000; i++) process.stdout.write('x'.repeat(100) + '\\n');
			require('node:fs').writeFileSync(${JSON.stringify(written)}, '')`);
		await new Promise((resolve) => setImmediate(resolve));
		// Nothing else happens in this process until the bot has written it all.
		for (let waits = 0; waits < 1000 && !existsSync(written); waits++) pauseThread(20);
		expect(existsSync(written)).toBe(true);
	});

	it('still delivers the last lines of a process that is killed', async () => {
		expect(await linesAfter("process.stderr.write('help'); process.kill(process.pid, 'SIGKILL')", 'stderr')).toEqual(['help']);
	});

	it('keeps the lines of earlier incarnations, marked as such', async () => {
		const { child, run } = await started();
		run("console.log('first')");
		await child.restart('again');
		run("console.log('second')");
		await child.stop();
		expect(child.recentLogs().map(({ line, epoch }) => [line, epoch])).toEqual([
			['first', 1],
			['second', 2],
		]);
	});
});
