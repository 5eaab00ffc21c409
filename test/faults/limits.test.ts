// Limits: memory, inspector ports, output, and many workers at once.
import { readdirSync } from 'node:fs';
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { makeFleet, startFleet } from './fleet.js';

it('a growing worker gets a warning, then a graceful replacement, and its neighbour is not affected', async () => {
	const fleet = await startFleet({ manager: { maxMemoryBytes: 300 * 2 ** 20, statsIntervalMs: 200 } });
	const neighbour = fleet.pidOf(1);
	const pid = fleet.pidOf(0);
	const reported: string[] = [];
	fleet.manager.on('worker:memory', ({ workerId, over }) => reported.push(`${workerId} ${over ? 'over' : 'near'}`));
	// Grow to just below the limit first, and over it after the warning.
	const grow = (toMb: number) =>
		`globalThis.hog ??= []; while (process.memoryUsage().rss < ${toMb} * 2 ** 20) hog.push(Buffer.alloc(2 ** 20, 1)); 1`;
	await fleet.manager.broadcastEval(grow(282), { shard: 0 });
	await waitFor('the warning', () => reported.includes('0 near'));
	expect(fleet.pidOf(0)).toBe(pid);
	await fleet.manager.broadcastEval(grow(330), { shard: 0 }).catch(() => {});
	await waitFor('another process', () => fleet.manager.workers[0]?.child.epoch === 2);
	expect(reported).toEqual(['0 near', '0 over']);
	// Requested, and not killed: it exited by itself.
	expect(fleet.manager.workers[0]?.child.lastExit).toMatchObject({ reason: 'memory-limit', code: 0, signal: null });
	await fleet.allReady();
	expect(fleet.pidOf(1)).toBe(neighbour);
	await fleet.stop();
});

it('the memory limit is enforced also when no figures are requested', async () => {
	const fleet = await makeFleet({ manager: { maxMemoryBytes: 2 ** 20, statsIntervalMs: 0 } });
	const over = new Promise<boolean>((resolve) => fleet.manager.once('worker:memory', (event) => resolve(event.over)));
	fleet.manager.spawn().catch(() => {});
	expect(await over).toBe(true);
	await fleet.stop();
});

it('inspected workers listen on ports of their own', async () => {
	// Below the ephemeral port range of the system.
	const first = 20_000 + (process.pid % 1000) * 3;
	const fleet = await startFleet({ simulator: { shards: 3 }, manager: { execArgv: [`--inspect=${first}`] } });
	const ports = fleet.story.flatMap((line) => /Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? []);
	expect(ports.map(Number).sort()).toEqual([first, first + 1, first + 2]);
	await fleet.stop();
});

it('output is delivered line by line, whole and in order, from both streams of every worker; no worker waits for its reader', async () => {
	const fleet = await startFleet({ simulator: { shards: 2 } });
	const lines = new Map<string, string[]>();
	fleet.manager.on('worker:log', ({ workerId, stream, line }) => {
		const key = `${workerId} ${stream}`;
		lines.set(key, [...(lines.get(key) ?? []), line]);
	});
	// In halves, over many turns, with characters of several bytes split in two.
	const script = `(async () => {
		const text = (stream, i) => stream + ' ' + i + ' äöü🎉 ' + 'x'.repeat(i % 97) + '\\n';
		for (let i = 0; i < 1000; i++) {
			for (const stream of ['stdout', 'stderr']) {
				const bytes = Buffer.from(text(stream, i));
				const middle = 14 + (i % 7);
				process[stream].write(bytes.subarray(0, middle));
				if (i % 50 === 0) await new Promise(setImmediate);
				process[stream].write(bytes.subarray(middle));
			}
		}
	})()`;
	await fleet.manager.broadcastEval(script);
	const expected = (stream: string) => Array.from({ length: 1000 }, (_, i) => `${stream} ${i} äöü🎉 ${'x'.repeat(i % 97)}`);
	for (const workerId of [0, 1]) {
		for (const stream of ['stdout', 'stderr']) {
			await waitFor('every line', () => lines.get(`${workerId} ${stream}`)?.length === 1000);
			expect(lines.get(`${workerId} ${stream}`)).toEqual(expected(stream));
		}
	}
	// The last ones are kept for later reads, and a crash report has its own.
	expect(fleet.manager.workers[0]?.child.recentLogs().at(-1)?.line).toMatch(/ 999 /);
	fleet.manager
		.broadcastEval('console.error("last words"); setImmediate(() => { throw new Error("the end"); })', { shard: 0 })
		.catch(() => {});
	await waitFor('another process', () => fleet.manager.workers[0]?.child.epoch === 2);
	const tail = fleet.manager.workers[0]?.child.lastExit?.stderrTail.join('\n');
	expect(tail).toMatch(/last words\n[\s\S]*Error: the end/);
	await fleet.allReady();
	await fleet.stop();
});

it('64 workers start, answer and stop without an extra descriptor, listener or process', async () => {
	const warnings: string[] = [];
	const onWarning = ({ name, message }: Error) => warnings.push(`${name}: ${message}`);
	process.on('warning', onWarning);
	const descriptors = () => readdirSync('/proc/self/fd').length;
	const before = descriptors();
	const fleet = await makeFleet({ simulator: { shards: 64 }, manager: { readyTimeoutMs: 60_000 } });
	const open = descriptors();
	await fleet.manager.spawn();
	await fleet.allReady();
	// Three pipes (standard input stays open) and a channel each, and the simulator's end of each connection in the same process.
	expect(descriptors() - open).toBeLessThanOrEqual(64 * 5 + 16);
	const answers = await fleet.manager.broadcastEval('process.pid');
	expect(new Set(answers as number[]).size).toBe(64);
	expect(fleet.incarnations().size).toBe(64);
	await fleet.stop();
	await waitFor('every descriptor to be closed', () => descriptors() <= before + 1);
	expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
	process.off('warning', onWarning);
	expect(warnings).toEqual([]);
});
