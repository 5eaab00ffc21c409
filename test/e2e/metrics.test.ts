// The metrics of running fleets, as a scraper reads them: over the socket, over TCP and from the command line.
import { request } from 'node:http';
import { join } from 'node:path';
import { createSimulator } from '@shardctl/simulator';
import { type CliRun, type CliSandbox, cliSandbox, waitFor } from '@shardctl/test-support';
import parse from 'parse-prometheus-text-format';
import { expect, it, onTestFinished } from 'vitest';
import { examplePath } from './example-path.js';

const token = 'a-token-of-sixteen-characters-or-more';
const line =
	/^(# HELP shardctl_\w+ \S.*|# TYPE shardctl_\w+ (gauge|counter)|shardctl_\w+\{(\w+="[^"\\\n]*",?)+\} \d+(\.\d+)?(e[+-]\d+)?|)$/;
const boundedLabels = new Set('manager version status type kind reason class quantile shard session worker gateway'.split(' '));

/** The values by name and labels, such as `worker_up 0`; fails if the text is not valid for Prometheus. */
function read(text: string): { value(key: string): number | undefined; names: string[] } {
	expect(text.split('\n').filter((each) => !line.test(each))).toEqual([]);
	expect(text.endsWith('\n')).toBe(true);
	const families = parse(text);
	const values = new Map<string, number>();
	for (const { name, help, type, metrics } of families) {
		expect(help).not.toBe('');
		expect(type).toBe(name.endsWith('_total') ? 'COUNTER' : 'GAUGE');
		for (const { value, labels = {} } of metrics) {
			expect(Object.keys(labels).filter((label) => !boundedLabels.has(label))).toEqual([]);
			expect(Object.values(labels).filter((label) => /\d{15}/.test(label))).toEqual([]);
			const { manager, ...rest } = labels;
			expect(manager).toBe('measured');
			const key = [name.replace('shardctl_', ''), ...Object.values(rest)].join(' ');
			expect(values.has(key)).toBe(false);
			values.set(key, Number(value));
		}
	}
	expect(new Set(families.map(({ name }) => name)).size).toBe(families.length);
	return { value: (key) => values.get(key), names: families.map(({ name }) => name) };
}

function ask(path: string, { socketPath, method = 'GET' }: { socketPath: string; method?: string }) {
	return new Promise<{ status: number | undefined; type: string | undefined; text: string }>((resolve, reject) => {
		const outgoing = request({ socketPath, path, method, agent: false }, (response) => {
			let text = '';
			response.setEncoding('utf8').on('data', (chunk: string) => {
				text += chunk;
			});
			response.on('end', () => resolve({ status: response.statusCode, type: response.headers['content-type'], text }));
		});
		outgoing.on('error', reject).end();
	});
}

async function measuredFleet(...args: string[]) {
	const simulator = await createSimulator({ guilds: 12, maxConcurrency: 16, heartbeatIntervalMs: 500 });
	onTestFinished(() => simulator.stop());
	const cli = cliSandbox();
	const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url, SHARDCTL_CONTROL_TOKEN: token };
	const bot = examplePath('plain-bot/bot.cjs');
	const run = cli.run(['start', bot, '--name', 'measured', '--shards', '3', ...args], { env });
	await run.message(/^fleet ready/);
	return { cli, run, socketPath: join(cli.stateDir, 'measured.sock') };
}

async function scrape(cli: CliSandbox) {
	const { code, stdout, stderr } = await cli.output(['metrics', '--name', 'measured']);
	expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
	return read(stdout);
}

async function stop(cli: CliSandbox, run: CliRun) {
	run.process.kill('SIGTERM');
	expect(await run.exit).toBe(0);
	expect(cli.survivors()).toEqual([]);
}

it('match the stats of a fleet, and keep counting when a worker is replaced', { timeout: 60_000 }, async () => {
	const { cli, run, socketPath } = await measuredFleet('--shards-per-worker', '2', '--port', '0');
	const before = await waitFor('a ping of every shard', async () => {
		const seen = await scrape(cli);
		return seen.value('shard_ping_seconds 2 1') !== undefined && seen.value('shard_ping_seconds 0 0') !== undefined
			? seen
			: undefined;
	});
	const stats = JSON.parse((await cli.output(['stats', '--json', '--name', 'measured'])).stdout) as {
		shards: { shardId: number; workerId: number; guildCount: number; pid: number }[];
	};
	expect(stats.shards).toHaveLength(3);
	for (const { shardId, workerId, guildCount } of stats.shards) {
		expect(before.value(`shard_guilds ${shardId} ${workerId}`)).toBe(guildCount);
		expect(before.value(`shard_ready ${shardId} ${workerId}`)).toBe(1);
		expect(before.value(`shard_status ${shardId} ${workerId} ready`)).toBe(1);
		expect(before.value(`shard_status ${shardId} ${workerId} failed`)).toBe(0);
	}
	expect(before.value('identifies_total')).toBe(3);
	expect(before.value('identify_remaining')).toBe(997);
	expect(before.value('manager_status running')).toBe(1);
	expect(before.value('worker_memory_bytes 0')).toBeGreaterThan(2 ** 20);
	expect(before.value('worker_restarts_total 1')).toBe(0);
	expect(before.value('fleet_events_total worker:exited')).toBe(0);
	expect(before.names.filter((name) => name.includes('gateway'))).toEqual([]);

	process.kill(stats.shards[2]?.pid as number, 'SIGKILL');
	const figures = ['worker_memory_bytes 1', 'worker_event_loop_delay_seconds 1', 'shard_guilds 2 1', 'shard_ping_seconds 2 1'];
	/** A process that is not running has no figures, and not those of the one before it. */
	const untrue: unknown[] = [];
	const after = await waitFor('the worker to be back with figures', async () => {
		const seen = read((await ask('/metrics', { socketPath })).text);
		const shown = figures.filter((figure) => seen.value(figure) !== undefined);
		if (seen.value('worker_start_time_seconds 1') === undefined && (shown.length > 0 || seen.value('worker_up 1') !== 0))
			untrue.push(shown);
		const isBack = seen.value('worker_restarts_total 1') === 1 && seen.value('worker_memory_bytes 1') !== undefined;
		return isBack && seen.value('worker_up 1') === 1 ? seen : undefined;
	});
	expect(untrue).toEqual([]);
	expect(after.value('worker_cpu_seconds_total 1')).toBeGreaterThan(before.value('worker_cpu_seconds_total 1') as number);
	expect(after.value('worker_restarts_total 0')).toBe(0);
	expect(after.value('identifies_total')).toBe(4);
	expect(after.value('fleet_events_total worker:exited')).toBe(1);
	await stop(cli, run);
});

it('have the same access rules as every other response of the control API', { timeout: 60_000 }, async () => {
	const { cli, run, socketPath } = await measuredFleet('--port', '0');
	const type = 'text/plain; version=0.0.4; charset=utf-8';
	expect(await ask('/metrics', { socketPath, method: 'HEAD' })).toEqual({ status: 200, type, text: '' });
	expect(await ask('/metrics', { socketPath })).toMatchObject({ status: 200, type });
	expect(await ask('/metrics?shard=1', { socketPath })).toMatchObject({ status: 400, type: 'application/json' });
	expect(await ask('/metrics', { socketPath, method: 'POST' })).toMatchObject({ status: 404 });
	const described = JSON.parse((await ask('/v1/openapi.json', { socketPath })).text);
	expect(Object.keys(described.paths['/metrics'].get.responses[200].content)).toEqual([type]);

	const url = (await run.message(/^control API on/)).url as string;
	const over = (authorization: string) => fetch(`${url}/metrics`, { headers: { authorization } });
	expect((await over('Bearer wrong')).status).toBe(401);
	expect((await fetch(`${url}/metrics`)).status).toBe(401);
	const scraped = await over(`Bearer ${token}`);
	expect(scraped.headers.get('content-type')).toBe(type);
	expect(read(await scraped.text()).value('shards')).toBe(3);
	expect(run.stdout()).not.toContain('wrong');
	await stop(cli, run);
});

it('show in resident mode what the gateway processes hold, and nothing of one that has exited', { timeout: 60_000 }, async () => {
	const { cli, run, socketPath } = await measuredFleet('--gateway', 'resident');
	const fresh = async () => read((await ask('/metrics', { socketPath })).text);
	const before = await waitFor('a ping of a session', async () => {
		const seen = await fresh();
		return seen.value('gateway_session_ping_seconds 0 0') === undefined ? undefined : seen;
	});
	for (const shard of [0, 1, 2]) {
		expect(before.value(`gateway_session_status ${shard} 0 ready`)).toBe(1);
		expect(before.value(`gateway_session_status ${shard} 0 resuming`)).toBe(0);
		expect(before.value(`gateway_worker_status ${shard} 0 connected`)).toBe(1);
		expect(before.value(`gateway_session_identifies_total ${shard} 0`)).toBe(1);
		expect(before.value(`gateway_events_received_total ${shard} 0`)).toBeGreaterThan(0);
		expect(before.value(`gateway_buffer_events ${shard} 0`)).toBe(0);
		expect(before.value(`gateway_snapshot_bytes ${shard} 0`)).toBeGreaterThan(0);
	}
	expect(before.value('fleet_events_total snapshot:failed')).toBe(0);

	const stats = JSON.parse((await cli.output(['stats', '--json', '--name', 'measured'])).stdout);
	process.kill(stats.gateways[0].pid, 'SIGKILL');
	const whileGone: unknown[] = [];
	const after = await waitFor('the gateway process to be back with its sessions', async () => {
		const seen = await fresh();
		const held = seen.names.filter((name) => /gateway_(session|events|buffer|snapshot)/.test(name));
		if (seen.value('gateway_up 0') === 0) whileGone.push([seen.value('manager_status degraded'), held]);
		const isBack = seen.value('gateway_restarts_total 0') === 1;
		return isBack && [0, 1, 2].every((shard) => seen.value(`gateway_session_status ${shard} 0 ready`) === 1) ? seen : undefined;
	});
	expect(whileGone.length).toBeGreaterThan(0);
	expect(new Set(whileGone.map((each) => JSON.stringify(each)))).toEqual(new Set(['[1,[]]']));
	expect(after.value('gateway_session_resumes_total 0 0')).toBe(1);
	expect(after.value('fleet_events_total gateway:exited')).toBe(1);
	expect(after.value('identifies_total')).toBe(3);
	await stop(cli, run);
});
