// The faults of the table in the README: what is broken, what the fleet must report, and which alert fires.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir, waitFor } from '@shardctl/test-support';
import type { ManagerStats } from 'shardctl';
import { onTestFinished } from 'vitest';
import type { FleetSetup, FleetUnderFault } from './fleet-under-fault.js';

export interface Fault {
	/** As in the README. */
	fault: string;
	/** Part of every run of the tests, not only of the whole table. */
	quick?: boolean;
	/** Undefined if this machine cannot have the fault, with a notice. */
	setup?(): FleetSetup | undefined;
	cause(fleet: FleetUnderFault): Promise<unknown>;
	/** The kind of cause that the fleet reports; `ends`: the fleet is gone; `outgrown`: it serves all its shards, and needs more sessions. */
	says: ManagerStats['health']['causes'][number]['kind'] | 'ends' | 'outgrown';
	/** Part of its message, if the first report can be another. */
	text?: RegExp;
	/** What the alert needs beyond the first report. */
	until?(fleet: FleetUnderFault): Promise<unknown>;
	/** The alert that fires while the fault lasts; null: none, because the fleet recovers by itself. */
	alert: string | null;
	/** How soon it is reported. */
	withinMs: number;
	/** Of `start`, where it ends by itself. */
	exitStatus?: number;
}

const resident: FleetSetup = { args: ['--gateway', 'resident'] };
const soon = 5000;
/** Discord requires 1 to 5 s between op 9 and the next IDENTIFY, which is the first that has to wait. */
const afterInvalidSession = 10_000;

export const faults: readonly Fault[] = [
	{
		fault: 'a worker is killed while it has events in hand',
		setup: () => ({ ...resident, simulator: { eventsPerSecond: 200 } }),
		async cause(fleet) {
			const pid = await fleet.workerPid(0);
			await blockMainThread(fleet);
			await waitFor('events that wait', async () => ((await fleet.stats()).gateways?.[0]?.shards[0]?.bufferedEvents ?? 0) > 20);
			process.kill(pid, 'SIGKILL');
		},
		says: 'worker-down',
		async until(fleet) {
			await whenHealthy(fleet);
			await waitFor('the loss', async () => ((await fleet.stats()).losses?.events ?? 0) > 0);
		},
		alert: 'EventsMissed',
		withinMs: soon,
	},
	{
		fault: 'a worker crashes at every start',
		async cause(fleet) {
			fleet.crashAtStart();
			process.kill(await fleet.workerPid(0), 'SIGKILL');
		},
		says: 'worker-down',
		until: (fleet) => whenCause(fleet, 'worker-failed'),
		alert: 'WorkerCrashes',
		withinMs: soon,
	},
	{
		fault: 'a worker grows over `--max-memory`',
		setup: () => ({ args: ['--max-memory', '150MB', '--stats-interval', '1s'] }),
		cause: (fleet) => fleet.eval('globalThis.leak = Array.from({ length: 200 }, () => Buffer.alloc(1e6, 1)); 0', 0),
		says: 'worker-down',
		alert: 'WorkerOverMemory',
		withinMs: soon,
	},
	{
		fault: 'the main thread of a worker hangs',
		setup: () => ({ args: ['--heartbeat-timeout', '7s'] }),
		cause: blockMainThread,
		says: 'worker-unresponsive',
		until: (fleet) => waitFor('its end', async () => (await fleet.metrics()).match(/"worker:unresponsive"[^}]*} [1-9]/)),
		alert: 'WorkerHangs',
		withinMs: (2 * 7000) / 3,
	},
	{
		fault: 'a bot logs out and keeps running',
		cause: (fleet) => fleet.eval('setInterval(() => {}, 1e6); client.destroy().then(() => 0)', 0),
		says: 'shard-not-ready',
		alert: 'ShardNotReady',
		withinMs: soon,
	},
	{
		fault: 'a worker is frozen, with heartbeats far apart',
		setup: () => ({ args: ['--gateway', 'resident', '--heartbeat-timeout', '3m'], simulator: { eventsPerSecond: 20 } }),
		async cause(fleet) {
			const pid = await fleet.workerPid(0);
			process.kill(pid, 'SIGSTOP');
			onTestFinished(() => void process.kill(pid, 'SIGKILL'));
		},
		says: 'worker-unresponsive',
		until: (fleet) =>
			waitFor(
				'old events',
				async () => (await fleet.stats()).gateways?.[0]?.shards.some(({ bufferAgeMs }) => bufferAgeMs > 61_000),
				{
					timeoutMs: 120_000,
				},
			),
		alert: 'EventsWait',
		withinMs: 10_000,
	},
	{
		fault: 'the gateway process is killed',
		quick: true,
		setup: () => resident,
		cause: async (fleet) => process.kill(await fleet.gatewayPid(), 'SIGKILL'),
		says: 'gateway-process-down',
		text: /killed by SIGKILL/,
		until: whenHealthy,
		alert: null,
		withinMs: soon,
	},
	{
		fault: 'the gateway process dies again and again',
		setup: () => resident,
		async cause(fleet) {
			// Without a gateway process, or after its end, there is nothing to kill.
			const kill = () =>
				fleet
					.gatewayPid()
					.then((pid) => process.kill(pid, 'SIGKILL'))
					.catch(() => {});
			await kill();
			const timer = setInterval(() => void kill(), 50);
			onTestFinished(() => clearInterval(timer));
		},
		says: 'gateway-process-down',
		text: /killed by SIGKILL \(before it was ready/,
		until: (fleet) =>
			waitFor('a long pause', async () => ((await fleet.stats()).gateways?.[0]?.nextTryAt ?? 0) > Date.now() + 3000),
		alert: 'GatewayProcessDown',
		withinMs: soon,
	},
	{
		fault: 'the gateway process is frozen',
		setup: () => ({ args: ['--gateway', 'resident'] }),
		async cause(fleet) {
			const pid = await fleet.gatewayPid();
			process.kill(pid, 'SIGSTOP');
			onTestFinished(() => {
				if (spawnSync('kill', ['-9', String(pid)]).error) throw new Error('the frozen process is left');
			});
		},
		says: 'gateway-process-down',
		alert: 'GatewayProcessDown',
		withinMs: soon,
	},
	{
		fault: 'the token is reset (4004), resident mode',
		quick: true,
		setup: () => resident,
		cause: async ({ simulator }) => simulator.faults.close(4004),
		says: 'ends',
		alert: 'FleetGone',
		withinMs: soon,
		exitStatus: 4,
	},
	{
		fault: 'the token is reset (4004), direct mode',
		quick: true,
		cause: async ({ simulator }) => simulator.faults.close(4004, { shard: 0 }),
		says: 'ends',
		alert: 'FleetGone',
		withinMs: soon,
		exitStatus: 4,
	},
	{
		fault: 'an intent is withdrawn (4014), resident mode',
		quick: true,
		setup: () => resident,
		cause: async ({ simulator }) => simulator.faults.close(4014, { shard: 2 }),
		says: 'discord-refused',
		alert: 'DiscordRefuses',
		withinMs: soon,
	},
	{
		fault: 'an intent is withdrawn (4014), direct mode',
		cause: async ({ simulator }) => simulator.faults.close(4014, { shard: 2 }),
		says: 'discord-refused',
		alert: 'DiscordRefuses',
		withinMs: soon,
	},
	{
		fault: 'a session has too many guilds (4011)',
		setup: () => resident,
		cause: async ({ simulator }) => simulator.faults.close(4011, { shard: 1 }),
		says: 'discord-refused',
		alert: 'DiscordRefuses',
		withinMs: soon,
	},
	{
		fault: 'Discord ends a session (op 9)',
		setup: () => resident,
		cause: async ({ simulator }) => simulator.faults.invalidate({ shard: 1 }),
		says: 'session-down',
		until: whenHealthy,
		alert: null,
		withinMs: soon,
	},
	{
		fault: 'the session starts of the day are used up, resident mode',
		quick: true,
		setup: () => resident,
		cause: useUpSessionStarts,
		says: 'budget-exhausted',
		alert: 'SessionStartsRunOut',
		withinMs: soon,
	},
	{
		fault: 'the session starts of the day are used up, direct mode',
		cause: useUpSessionStarts,
		says: 'budget-exhausted',
		alert: 'SessionStartsRunOut',
		withinMs: afterInvalidSession,
	},
	{
		fault: "a worker is killed while Discord's REST API answers 503",
		async cause(fleet) {
			fleet.simulator.faults.restStatus({ status: 503 });
			process.kill(await fleet.workerPid(0), 'SIGKILL');
		},
		says: 'worker-down',
		// On what Discord stated last.
		until: whenHealthy,
		alert: null,
		withinMs: soon,
	},
	{
		fault: 'Discord recommends twice the sessions',
		setup: () => ({ args: ['--gateway', 'resident', '--shards', '8', '--gateway-sessions', '4'], simulator: { shards: 8 } }),
		cause: async () => {},
		says: 'outgrown',
		alert: 'SessionsOutgrown',
		withinMs: soon,
	},
	{
		fault: 'Discord cannot be reached',
		setup: () => resident,
		cause: ({ simulator }) => simulator.stop(),
		says: 'session-down',
		alert: 'DiscordAway',
		withinMs: soon,
	},
	{
		fault: 'a connection with Discord goes silent (heartbeats of 1 s)',
		// Nothing arrives on a silent connection, so neither does a close: the gateway process has to notice it.
		setup: () => ({ ...resident, simulator: { heartbeatGraceFactor: 100 } }),
		cause: async ({ simulator }) => simulator.faults.blackHole({ shard: 3 }),
		says: 'session-down',
		alert: 'DiscordAway',
		withinMs: soon,
	},
	{
		fault: 'the disk of the state folder is full',
		setup() {
			const folder = tempDir();
			const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', folder]);
			if (mounted.status !== 0) return undefined;
			onTestFinished(() => void spawnSync('umount', ['-l', folder]));
			return { ...resident, simulator: { eventsPerSecond: 20 }, stateDir: join(folder, 'shardctl') };
		},
		async cause({ stateDir }) {
			spawnSync('dd', ['if=/dev/zero', `of=${join(stateDir, 'filler')}`, 'bs=1M']);
			writeFileSync(join(stateDir, 'full'), '');
		},
		says: 'disk-full',
		alert: 'SnapshotsFail',
		withinMs: soon,
	},
	{
		fault: 'the open files of the manager are nearly used up',
		setup: () => (spawnSync('prlimit', ['--version']).status === 0 ? {} : undefined),
		async cause({ run, stats }) {
			const { used = 0 } = (await stats()).host?.openFiles ?? {};
			spawnSync('prlimit', [`--pid=${run.pid}`, `--nofile=${Math.floor(used / 0.92)}:`]);
		},
		says: 'open-files-low',
		alert: 'MachineRunsOut',
		withinMs: soon,
	},
	{
		fault: 'the manager is killed',
		quick: true,
		cause: async ({ run }) => run.process.kill('SIGKILL'),
		says: 'ends',
		alert: 'FleetGone',
		withinMs: soon,
	},
];

/** The loop begins after the call was answered. */
function blockMainThread(fleet: FleetUnderFault): Promise<void> {
	return fleet.eval('setTimeout(() => { for (;;); }, 50); 0', 0);
}

async function useUpSessionStarts({ simulator }: FleetUnderFault): Promise<void> {
	simulator.faults.sessionStarts({ total: 1000, remaining: 0, resetAfterMs: 3_600_000 });
	simulator.faults.invalidate({ shard: 1 });
}

function whenHealthy(fleet: FleetUnderFault): Promise<unknown> {
	return waitFor('a healthy fleet', async () => (await fleet.stats()).health.status === 'healthy');
}

function whenCause(fleet: FleetUnderFault, wanted: string): Promise<unknown> {
	return waitFor(wanted, async () => (await fleet.stats()).health.causes.some(({ kind }) => kind === wanted), {
		// A worker is given up after pauses that add up to about 90 s.
		timeoutMs: 240_000,
	});
}
