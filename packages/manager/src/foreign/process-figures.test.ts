import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { processFigures, secondsOf } from './process-figures.js';

it('reads memory and processor time of a process with those that it started', async () => {
	const child = spawn('sh', ['-c', `"${process.execPath}" -e "console.log(1); setInterval(() => {}, 1e6)"; true`], {
		stdio: ['ignore', 'pipe', 'ignore'],
		detached: true,
	});
	await once(child.stdout, 'data');
	const figures = await processFigures(child.pid as number);
	process.kill(-(child.pid as number), 'SIGKILL');
	await once(child, 'exit');
	// A shell alone has a few megabytes.
	expect(figures?.rssBytes).toBeGreaterThan(20e6);
	expect(figures?.cpuSeconds).toBeGreaterThanOrEqual(0);
	expect(await processFigures(child.pid as number)).toBeUndefined();
});

it.each([
	['0:01.50', 1.5],
	['12:34', 754],
	['1:02:03', 3723],
	['2-00:00:01', 172_801],
])('reads the time %s of ps as %d s', (time, seconds) => {
	expect(secondsOf(time)).toBe(seconds);
});
