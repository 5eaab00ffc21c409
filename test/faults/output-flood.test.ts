// Finding 10: a bot with endless output does not affect its neighbours or the operator; lines over the limit are counted.
// A short run asserts what holds on a machine with other work as well. `FLOOD_SECONDS=30` is the full one, which measures times and needs
// a quiet machine.
import { setTimeout as pause } from 'node:timers/promises';
import { type CliSandbox, cliSandbox, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { fixture } from './fleet.js';

const seconds = Number(process.env.FLOOD_SECONDS ?? 0);
const isFull = seconds > 0;
const graceMs = 2000;
const heartbeatIntervalMs = 5000;

it.runIf(process.platform !== 'win32')(
	'finding 10: a bot that floods its output does not affect stats, its neighbours or stop',
	async () => {
		const cli = cliSandbox();
		const run = cli.run(['start', fixture('flooding-bot.mjs'), '--name', 'flood', '--shards', '3', '--simulate', '4'], {
			stdio: 'ignore',
		});
		await waitFor('the fleet to be ready', async () => (await cli.output(['health', '--name', 'flood'])).code === 0);
		const before = await statsOf(cli);
		const times: number[] = [];
		/** For a command that contacts no manager: the cost of a process on this machine now. */
		const bare: number[] = [];
		const silences: number[] = [];
		const end = performance.now() + seconds * 1000;
		do {
			const { took, stats } = await statsOf(cli);
			times.push(took);
			for (const { lastAnswerAt } of stats.workers.slice(1)) silences.push(Date.now() - lastAnswerAt);
			if (!isFull) continue;
			const asked = performance.now();
			await cli.output(['--version']);
			bare.push(performance.now() - asked);
			await pause(500);
		} while (times.length < 3 || performance.now() < end);

		// The others answer heartbeats all the time, and no process was replaced.
		const answers = before.stats.workers.map(({ lastAnswerAt }) => lastAnswerAt);
		const after = await waitFor('another answer of each neighbour', async () => {
			const { stats } = await statsOf(cli);
			return stats.workers.slice(1).every(({ lastAnswerAt }, index) => lastAnswerAt > (answers[index + 1] as number))
				? stats
				: undefined;
		});
		expect(after.shards.map(({ pid, status, restarts }) => [pid, status, restarts])).toEqual(
			before.stats.shards.map(({ pid }) => [pid, 'ready', 0]),
		);
		const events = (await cli.output(['events', '--name', 'flood', '--json'])).stdout;
		expect(events).toContain('fleet:ready');
		expect(events).not.toContain('unresponsive');

		const leftOut = await waitFor('lines that are left out', async () => {
			const { stdout } = await cli.output(['metrics', '--name', 'flood']);
			const values = [...stdout.matchAll(/^shardctl_worker_log_lines_left_out_total\{worker="(\d)".*\} (\d+)$/gm)];
			const counts = values.map(([, worker, lines]) => [Number(worker), Number(lines)] as const);
			return counts.some(([, lines]) => lines > 0) ? counts : undefined;
		});
		expect(leftOut).toEqual([
			[0, expect.any(Number)],
			[1, 0],
			[2, 0],
		]);
		const logs = await cli.output(['logs', '--name', 'flood', '--shard', '0', '--tail', '500']);
		expect(logs).toMatchObject({ code: 0, stdout: expect.stringContaining('a short line of a bot') });

		const stopping = performance.now();
		expect(await cli.output(['stop', '--name', 'flood', '--grace', `${graceMs}ms`])).toMatchObject({ code: 0 });
		const stopMs = performance.now() - stopping;
		expect(await run.exit).toBe(0);
		expect(cli.survivors()).toEqual([]);
		if (!isFull) return;
		const figures = {
			stats: times.length,
			statsMs: medianAndMost(times),
			bareCommandMs: medianAndMost(bare),
			longestSilenceMs: Math.max(...silences),
			stopMs: Math.round(stopMs),
			leftOut: leftOut[0]?.[1],
		};
		process.stdout.write(`${JSON.stringify(figures)}\n`);
		expect(Math.max(...times)).toBeLessThanOrEqual(1000);
		expect(figures.longestSilenceMs).toBeLessThan(heartbeatIntervalMs + 1500);
		expect(stopMs).toBeLessThanOrEqual(graceMs + 2000);
	},
);

function medianAndMost(values: number[]): { median: number; most: number } {
	const sorted = values.map(Math.round).sort((a, b) => a - b);
	return { median: sorted[sorted.length >> 1] as number, most: sorted.at(-1) as number };
}

interface Stats {
	shards: { pid: number; status: string; restarts: number }[];
	workers: { lastAnswerAt: number }[];
}

/** Through the command line, which gives up after 10 s. */
async function statsOf(cli: CliSandbox): Promise<{ took: number; stats: Stats }> {
	const asked = performance.now();
	const { code, stdout, stderr } = await cli.output(['stats', '--name', 'flood', '--json']);
	expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
	return { took: performance.now() - asked, stats: JSON.parse(stdout) as Stats };
}
