// The random faults, as a list: each fault does something to a fleet and resolves once it has taken effect. The
// caller checks that the fleet recovers.
import { waitFor } from '@shardctl/test-support';
import type { Fleet } from './fleet.js';
import type { Random } from './random.js';

export interface Fault {
	name: string;
	/** Its weight among the others. */
	weight: number;
	apply(fleet: Fleet, random: Random): Promise<void>;
}

const nothing = () => {};

function pickWorker({ manager }: Fleet, random: Random): number {
	return random.below(manager.workers.length);
}

function pickShard({ manager }: Fleet, random: Random): number {
	return random.pick(manager.workers.flatMap(({ shardIds }) => shardIds));
}

/** Does something that ends a worker's process, and waits for the next process. */
async function replaced(fleet: Fleet, workerId: number, act: (pid: number) => void, times = 1): Promise<void> {
	const { child } = fleet.manager.workers[workerId] as Fleet['manager']['workers'][number];
	const { epoch } = child;
	act(fleet.pidOf(workerId));
	await waitFor(`${times} new process(es) of worker ${workerId}`, () => child.epoch >= epoch + times);
}

/** Runs a line in a worker without waiting for its result. */
function run(fleet: Fleet, workerId: number, script: string): void {
	const shard = fleet.manager.workers[workerId]?.shardIds[0] as number;
	fleet.manager.broadcastEval(script, { shard }).catch(nothing);
}

/** Waits until every affected shard has a session again or resumes its old one. */
async function reconnected(fleet: Fleet, shards: readonly number[], act: () => void): Promise<void> {
	const after = fleet.simulator.log.entries({ limit: 1 })[0]?.number ?? 0;
	act();
	const back = () =>
		shards.every((shardId) => fleet.simulator.log.entries({ type: ['identify', 'resume'], shardId, after }).length > 0);
	await waitFor('the shards that were hit to connect again', back);
}

const killed = (signal: NodeJS.Signals) => (fleet: Fleet, random: Random) =>
	replaced(fleet, pickWorker(fleet, random), (pid) => process.kill(pid, signal));

const dying = (script: string) => (fleet: Fleet, random: Random) => {
	const worker = pickWorker(fleet, random);
	return replaced(fleet, worker, () => run(fleet, worker, script));
};

/** Starts a temporary condition at Discord, and kills a worker during it. */
const killedDuring = (start: (fleet: Fleet, random: Random) => void) => (fleet: Fleet, random: Random) => {
	start(fleet, random);
	return killed('SIGKILL')(fleet, random);
};

const hit =
	(act: (faults: Fleet['simulator']['faults'], shard: number, random: Random) => void) => (fleet: Fleet, random: Random) => {
		const shard = pickShard(fleet, random);
		return reconnected(fleet, [shard], () => act(fleet.simulator.faults, shard, random));
	};

/** All kinds of faults. Those that need a hang to be detected take seconds, so they are rarer. */
export const faults: readonly Fault[] = [
	// The process.
	{ name: 'kill -9', weight: 8, apply: killed('SIGKILL') },
	{ name: 'kill', weight: 3, apply: killed('SIGTERM') },
	{ name: 'clean exit', weight: 3, apply: dying('process.exit(0)') },
	{ name: 'exit code', weight: 3, apply: dying('process.exit(3)') },
	{ name: 'uncaught exception', weight: 3, apply: dying('setImmediate(() => { throw new Error("random fault") })') },
	{ name: 'abort', weight: 1, apply: dying('process.abort()') },
	{
		name: 'kill -9 amid a flood of output',
		weight: 2,
		apply: (fleet, random) => {
			const worker = pickWorker(fleet, random);
			return replaced(fleet, worker, () =>
				run(fleet, worker, 'for (let i = 0; i < 2000; i++) console.log("x".repeat(100)); process.kill(process.pid, "SIGKILL")'),
			);
		},
	},
	{
		name: 'kill -9 of a bot with a child of its own',
		weight: 2,
		apply: async (fleet, random) => {
			const worker = pickWorker(fleet, random);
			const script = 'process.getBuiltinModule("child_process").spawn("sleep", ["600"], { stdio: "ignore" }); 1';
			await fleet.manager.broadcastEval(script, { shard: fleet.manager.workers[worker]?.shardIds[0] as number }).catch(nothing);
			await replaced(fleet, worker, (pid) => process.kill(pid, 'SIGKILL'));
		},
	},
	{
		name: 'exits while starting',
		weight: 5,
		apply: (fleet, random) => {
			const worker = pickWorker(fleet, random);
			const times = 1 + random.below(2);
			fleet.dieAtStart(fleet.manager.workers[worker]?.shardIds[0] as number, times);
			return replaced(fleet, worker, (pid) => process.kill(pid, 'SIGKILL'), times + 1);
		},
	},
	{
		name: 'kill -9 as soon as it is started',
		weight: 3,
		apply: (fleet, random) => {
			const worker = pickWorker(fleet, random);
			const delayMs = random.below(200);
			const { child } = fleet.manager.workers[worker] as Fleet['manager']['workers'][number];
			child.once('spawned', ({ pid }) =>
				setTimeout(() => {
					if (child.pid === pid) process.kill(pid, 'SIGKILL');
				}, delayMs),
			);
			return replaced(fleet, worker, (pid) => process.kill(pid, 'SIGKILL'), 2);
		},
	},
	{
		name: 'every worker at once',
		weight: 2,
		apply: async (fleet) => {
			await Promise.all(fleet.manager.workers.map(({ id }) => replaced(fleet, id, (pid) => process.kill(pid, 'SIGKILL'))));
		},
	},
	{
		name: 'memory growth',
		weight: 2,
		apply: dying('globalThis.hog = Array.from({ length: 60 }, () => Buffer.alloc(5 << 20, 1)); 1'),
	},

	// Its event loop.
	{ name: 'kill -STOP', weight: 1.5, apply: killed('SIGSTOP') },
	{ name: 'event loop blocked for ever', weight: 1, apply: dying('for (;;);') },
	{
		name: 'event loop blocked for ever with SIGTERM trapped',
		weight: 0.5,
		apply: dying('process.on("SIGTERM", () => {}); for (;;);'),
	},
	{
		name: 'event loop blocked for a moment',
		weight: 2,
		apply: async (fleet, random) => {
			const shard = pickShard(fleet, random);
			await fleet.manager.broadcastEval('const end = Date.now() + 400; while (Date.now() < end); 1', { shard }).catch(nothing);
		},
	},

	// Requested restarts.
	{
		name: 'respawn with SIGTERM trapped',
		weight: 1.5,
		apply: async (fleet, random) => {
			const shard = pickShard(fleet, random);
			await fleet.manager.broadcastEval('process.on("SIGTERM", () => {}); 1', { shard }).catch(nothing);
			await fleet.manager.respawnShard(shard);
		},
	},
	{
		name: 'kill -STOP of one that is being replaced',
		weight: 0.5,
		apply: async (fleet, random) => {
			const worker = pickWorker(fleet, random);
			const pid = fleet.pidOf(worker);
			process.kill(pid, 'SIGSTOP');
			await fleet.manager.respawnShard(fleet.manager.workers[worker]?.shardIds[0] as number);
		},
	},
	{ name: 'rolling restart', weight: 1.5, apply: (fleet) => fleet.manager.respawnAll() },
	{
		name: 'kill -9 amid a rolling restart',
		weight: 1,
		apply: async (fleet, random) => {
			const restart = fleet.manager.respawnAll({ parallel: 2 }).catch(nothing);
			await killed('SIGKILL')(fleet, random).catch(nothing);
			await restart;
		},
	},

	// Discord's gateway.
	{ name: 'op 7', weight: 7, apply: hit((to, shard) => to.reconnect({ shard })) },
	{ name: 'op 9, resumable', weight: 4, apply: hit((to, shard) => to.invalidate({ shard, resumable: true })) },
	{ name: 'op 9', weight: 5, apply: hit((to, shard) => to.invalidate({ shard })) },
	{
		name: 'close code',
		weight: 7,
		apply: hit((to, shard, random) => to.close(random.pick([1001, 4000, 4007, 4008, 4009]), { shard })),
	},
	{ name: 'connection lost', weight: 6, apply: hit((to, shard) => to.drop({ shard })) },
	{
		name: 'gateway restart',
		weight: 4,
		apply: (fleet, random) =>
			reconnected(
				fleet,
				fleet.manager.workers.flatMap(({ shardIds }) => shardIds),
				() => fleet.simulator.faults.restartGateway({ keepSessions: random.next() < 0.5 }),
			),
	},
	{
		name: 'kill -9 while new connections are turned away',
		weight: 1,
		apply: killedDuring(({ simulator }) => simulator.faults.reconnectOnConnect({ forMs: 600, instead: true })),
	},

	// Discord's REST API, the budget.
	{
		name: 'kill -9 while REST answers 503',
		weight: 2,
		apply: killedDuring(({ simulator }) => simulator.faults.restStatus({ status: 503, forMs: 1500 })),
	},
	{
		name: 'kill -9 while REST hangs',
		weight: 1,
		apply: killedDuring(({ simulator }) => simulator.faults.restHang({ forMs: 1500 })),
	},
	{
		name: 'kill -9 with the budget down to its reserve',
		weight: 2,
		apply: killedDuring(({ simulator }) => simulator.faults.sessionStarts({ total: 1000, remaining: 40, resetAfterMs: 1200 })),
	},
	{
		name: 'kill -9 after max_concurrency was raised',
		weight: 1,
		apply: killedDuring(({ simulator }) => {
			const { maxConcurrency } = simulator.state().gateway;
			simulator.faults.maxConcurrency(Math.min(64, maxConcurrency * 2));
		}),
	},
];
