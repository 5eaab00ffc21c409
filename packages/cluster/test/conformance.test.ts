// Random traces of the model, taken step by step with the real scripts on a real Redis and the real node logic; after each step both
// states are compared. More traces: SHARDCTL_CLUSTER_TRACES=5000, and others: SHARDCTL_CLUSTER_SEED=100000.
import { seededRandom } from '@shardctl/test-support';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { IoredisPort } from '../src/redis/ioredis-port.js';
import { type Action, type ModelState, ownershipModel } from './model/ownership-model.mjs';

import { connectTo, describeWithRedis, type RedisServer, redisServer } from './support/redis-server.js';
import { ReplayedCluster } from './support/replayed-cluster.js';

const traces = Number(process.env.SHARDCTL_CLUSTER_TRACES ?? 25);
const firstSeed = Number(process.env.SHARDCTL_CLUSTER_SEED ?? 1);
const stepsATrace = 80;

const every = ['crash', 'pause', 'cut', 'cutAnswers', 'late', 'restart', 'empty', 'flush', 'failover', 'outage', 'killManager'];
const clocks = ['forward', 'back'];
const configurations = [
	['two nodes, every fault', { nodes: 2, faults: [...every, ...clocks], budget: 3 }],
	['moves between two nodes', { nodes: 2, faults: every, budget: 3, moves: true }],
	['three nodes that plan for each other', { nodes: 3, faults: every, budget: 3, reassign: true }],
	[
		'two sessions, moves and writes',
		{ nodes: 2, sessions: 2, faults: [...every, ...clocks], budget: 3, moves: true, writes: true },
	],
] as const;
const faults = new Set<string>([...every, ...clocks]);

const healing = new Set(['link whole', 'run again', 'up', 'late lost', 'drop plan']);

interface Step {
	label: string;
	next: ModelState;
	broken: string | undefined;
	action: Action;
}

describeWithRedis('the conformance of scripts and node logic with the model of the cluster', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let clusters = 0;
	const kinds = new Map<string, number>();
	beforeAll(async () => {
		server = await redisServer();
		redis = await connectTo(server);
	});
	afterAll(async () => {
		await redis?.close();
		await server?.close();
	});

	it.each(configurations)('%s', async (_, config) => {
		const model = ownershipModel(config);
		for (let seed = firstSeed; seed < firstSeed + traces; seed++) {
			const random = seededRandom(seed);
			const cluster = new ReplayedCluster(redis, `trace${++clusters}`, {
				nodes: config.nodes,
				sessions: 'sessions' in config ? config.sessions : 1,
			});
			await cluster.begin();
			let state = model.initial();
			const trace = [`seed ${seed}`];
			expect(await cluster.differences(model.describe(state))).toEqual([]);
			for (let left = stepsATrace; left > 0; left--) {
				const step = choose(stepsFrom(state), random);
				if (!step) break;
				trace.push(`${step.label}   ${JSON.stringify(step.action)}`);
				if (step.broken) throw new Error(`${trace.join('\n')}\n${step.broken}`);
				state = step.next;
				const kind = step.action.filter((part) => part !== undefined && typeof part !== 'number').join(' ');
				kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
				const described = model.describe(state);
				try {
					await cluster.take(step.action);
					expect(await cluster.differences(described)).toEqual([]);
				} catch (error) {
					throw new Error(`after\n${trace.join('\n')}\n${String(error)}`, { cause: error });
				}
				for (const acting of cluster.acting(described)) {
					if (acting.length > 1) throw new Error(`${trace.join('\n')}\n${acting.join(' and ')} act`);
				}
			}
			await redis.batch([['FLUSHALL']]);
		}
		function stepsFrom(from: ModelState): Step[] {
			const steps: Step[] = [];
			model.next(from, (label, next, broken, action) =>
				steps.push({ label, next, broken: broken ?? model.broken(next), action }),
			);
			return steps;
		}
	});

	it('went through every kind of step, without which the comparison is worth little', () => {
		const expected = [
			'renew answered',
			'renew request held',
			'apply true',
			'apply false',
			'hand over answered',
			'hand over answer lost',
		];
		const missing = [
			...expected,
			'write true',
			'write false',
			'release true',
			'late request',
			'late answer',
			...faults,
			'promote',
		].filter((kind) => kind !== 'late' && !kinds.has(kind));
		expect(missing).toEqual([]);
	});
});

/** Faults are rare, so that a trace is not over its faults after a few steps; of the other steps, each kind is as likely. */
function choose(steps: readonly Step[], random: () => number): Step | undefined {
	const faulty = steps.filter(({ action }) => faults.has(action[0]));
	const normal = steps.filter(({ action }) => !faults.has(action[0]));
	const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
	if (faulty.length > 0 && (normal.length === 0 || random() < 0.1)) return pick(faulty);
	const kinds = [...new Set(normal.map(({ action }) => action[0]))];
	// Leases have to end for the rest to happen.
	const kind = kinds.includes('tick') && random() < 0.4 ? 'tick' : pick(kinds);
	// ... and not be whole again at once.
	if (healing.has(kind as string) && kinds.length > 1 && random() < 0.85) return choose(steps, random);
	return pick(normal.filter(({ action }) => action[0] === kind));
}
