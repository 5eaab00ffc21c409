// The real scripts and the real node logic, driven step by step as the model says, on clocks that only the test moves. One tick of the
// model is one millisecond. Redis' clock and run_id are keys, which the scripts read in place of TIME and INFO; all else is as shipped.
import { type FakeClock, fakeClock } from '@shardctl/test-support';
import { NodeState, type Renewal, type RenewalReply } from '../../src/lease/node-state.js';
import { commonArguments, renewalArguments, renewalReply } from '../../src/lease/renewal-wire.js';
import type { Timings } from '../../src/lease/timings.js';
import type { TableChange } from '../../src/planner/plan.js';
import { clusterKeys } from '../../src/redis/keys.js';
import type { RedisArgument, RedisPort, RedisScript } from '../../src/redis/redis-port.js';
import { type OwnershipScripts, ownershipScripts } from '../../src/scripts/ownership-scripts.js';
import { sessionRow } from '../../src/table/cluster-view.js';
import type { Action, DescribedState } from '../model/ownership-model.mjs';

/** The figures of the model: T = 3, V = 2, Q = 4, and no margins. */
const ticks: Timings = {
	leaseMs: 3,
	validMs: 2,
	quietMs: 4,
	renewMs: 1,
	retryMs: 1,
	takeMarginMs: 0,
	observeMs: 2,
	gapMs: 2,
	doubtMs: 1,
};
const hourMs = 3_600_000;
const start = 1_000_000_000_000;
const names = ['a', 'b', 'c'];
const deadState = 0;
const phases = ['held', 'moving', 'prepared'] as const;
const holds = ['acting', 'giving', 'waiting'] as const;

interface Plan {
	change: TableChange;
	version: number;
	identity: string;
}

type Late =
	| { kind: 'request'; script: RedisScript; args: RedisArgument[] }
	| { kind: 'answer'; renewal: Renewal; reply: RenewalReply };

export class ReplayedCluster {
	readonly #redis: RedisPort;
	readonly #keys: string[];
	readonly #prefix: string;
	readonly #scripts: OwnershipScripts;
	readonly #clock: FakeClock = fakeClock(start);
	readonly #nodes: NodeState[];
	readonly #sessions: number;
	readonly #plans = new Map<number, Plan>();
	#time = start;
	#runs = 1;
	#nonces = 0;
	#copy: unknown[] | undefined;
	#late: Late | undefined;

	constructor(redis: RedisPort, name: string, { nodes, sessions }: { nodes: number; sessions: number }) {
		this.#redis = redis;
		this.#prefix = `test:${name}`;
		const { engine, nodes: rows, table, members, records } = clusterKeys(name);
		this.#keys = [engine, rows, table, members, records];
		this.#scripts = ownershipScripts({
			time: `local now = tonumber(redis.call('GET', '${this.#prefix}:time'))`,
			runId: `local runId = redis.call('GET', '${this.#prefix}:run')`,
		});
		this.#nodes = names.slice(0, nodes).map((node) => new NodeState({ node, clock: this.#clock, timings: ticks }));
		this.#sessions = sessions;
	}

	/** The model's first state: node A holds every session, and all leases have just been renewed. */
	async begin(): Promise<void> {
		const identity = `${this.#runId}.0`;
		const hear = (renewals: number) => {
			for (const state of this.#nodes) {
				const sessions = new Map(this.#ids.map((id) => [id, state.node === 'a' ? start - 1 : ('none' as const)]));
				const counts = new Map(this.#nodes.map(({ node }) => [node, renewals]));
				state.hear(state.beginRenewal(), {
					kind: 'renewed',
					identity,
					quietMs: 0,
					version: 0,
					registered: true,
					sessions,
					renewals: counts,
				});
			}
		};
		// Long ago for the identity, just now for the lease and for what was seen of the others.
		hear(0);
		await this.#clock.advance(ticks.quietMs);
		this.#time += ticks.quietMs;
		hear(1);
		const [engine, rows, table] = this.#keys as [string, string, string];
		await this.#writeSources();
		await this.#redis.batch([
			['HSET', engine, 'identity', identity, 'time', this.#time, 'quiet', 0],
			['HSET', rows, ...this.#nodes.flatMap(({ node }) => [`d:${node}`, this.#time + ticks.leaseMs, `c:${node}`, 1])],
			['HSET', table, 'version', 0, ...this.#ids.flatMap((id) => [`s:${id}`, `a ${start - 1} held - ${identity}`])],
		]);
	}

	async take([kind, ...args]: Action): Promise<void> {
		const [i, second, third, fourth] = args as [number, never, never, never];
		switch (kind) {
			case 'tick':
				this.#time++;
				await this.#clock.advance(1);
				return this.#writeSources();
			case 'renew':
				return this.#renew(this.#node(i), second as string);
			case 'plan':
				return this.#plan(i, { session: second, target: third, free: fourth });
			case 'drop plan':
				this.#plans.delete(i);
				return;
			case 'apply':
				return this.#apply(i, second);
			case 'move': {
				const change: TableChange = { op: 'move', session: second, from: names[i] as string, to: names[third] as string };
				const outcome = await this.#change(i, { change, version: await this.#version(), identity: this.#node(i).identity });
				return expectThat(outcome === 'done', `the move is ${outcome}`);
			}
			case 'prepared': {
				const { epoch } = await this.#row(second);
				const [outcome] = (await this.#run(this.#scripts.prepared, this.#node(i), [
					names[i] as string,
					second,
					epoch,
				])) as string[];
				return expectThat(outcome === 'OK', `prepared is ${outcome}`);
			}
			case 'hand over':
				return this.#handOver(i, second, third);
			case 'release':
				return this.#release(i, second, third);
			case 'write':
				return this.#write(i, second, third);
			case 'late lost':
				this.#late = undefined;
				return;
			case 'late answer': {
				const late = this.#takeLate('answer');
				expectThat(!this.#node(i).hear(late.renewal, late.reply).overtaken, 'the late answer is overtaken');
				return;
			}
			case 'late request': {
				const late = this.#takeLate('request');
				await this.#redis.script(late.script, this.#keys, late.args);
				return;
			}
			case 'restart':
				return this.#newRun();
			case 'empty':
				await this.#redis.batch([['DEL', ...this.#keys]]);
				return this.#newRun();
			case 'flush':
				// The run_id stays.
				await this.#redis.batch([['DEL', ...this.#keys]]);
				return;
			case 'failover':
				this.#copy = await this.#redis.batch(this.#keys.map((key) => ['DUMP', key]));
				return;
			case 'promote': {
				const copy = this.#copy as (Buffer | null)[];
				this.#copy = undefined;
				await this.#redis.batch([['DEL', ...this.#keys]]);
				await this.#redis.batch(
					this.#keys.flatMap((key, index) => (copy[index] ? [['RESTORE', key, 0, copy[index]] as const] : [])),
				);
				return this.#newRun();
			}
			case 'forward':
				this.#time++;
				return this.#writeSources();
			case 'back':
				this.#time -= hourMs;
				return this.#writeSources();
			case 'crash':
				this.#plans.delete(i);
				return;
			case 'pause':
			case 'killManager':
			case 'run again':
			case 'cut':
			case 'cutAnswers':
			case 'link whole':
			case 'outage':
			case 'up':
				return;
			default:
				throw new Error(`the model takes a step that the test does not know: ${kind}`);
		}
	}

	/** What differs between the model's state and the real one. */
	async differences(model: DescribedState): Promise<string[]> {
		const found: string[] = [];
		const compare = (what: string, real: unknown, modelled: unknown) => {
			if (real !== modelled) found.push(`${what}: real ${String(real)}, model ${String(modelled)}`);
		};
		const [engine, rows, table] = this.#keys as [string, string, string];
		const read = await this.#redis.batch([
			['HMGET', engine, 'identity', 'quiet'],
			['HMGET', rows, ...this.#nodes.map(({ node }) => `d:${node}`)],
			['HMGET', table, 'version', ...this.#ids.map((id) => `s:${id}`)],
		]);
		const [[identity, quiet], deadlines, [version, ...sessions]] = read.map((list) =>
			(list as (Buffer | null)[]).map((value) => value?.toString()),
		) as [[string?, string?], (string | undefined)[], [string?, ...(string | undefined)[]]];
		/** A distance on the model's scale: 20 and more are "far away". */
		const ahead = (at: string | undefined) => Math.min(20, Math.max(0, Number(at ?? 0) - this.#time));
		const modelAhead = (value: number) => Math.min(20, Math.max(0, value));
		compare('version', Number(version ?? 0), model.version);
		if (model.known) compare('quiet period', ahead(quiet), modelAhead(model.quiet));
		const epochs = this.#ids.map(() => [] as { what: string; real: number; modelled: number }[]);
		for (const [id, modelled] of model.sessions.entries()) {
			const row = sessionRow(id, sessions[id] ?? '- 0 held - -', identity ?? '');
			compare(`owner of ${id}`, row.owner, names[modelled.owner]);
			compare(`phase of ${id}`, row.phase, phases[modelled.phase]);
			if (modelled.phase > 0) compare(`target of ${id}`, row.target, names[modelled.target]);
			if (model.known) compare(`${id} is unsure`, row.unsure, modelled.unsure);
			compare(`${id} has an epoch`, row.epoch > 0, modelled.epoch !== none);
			epochs[id]?.push({ what: 'table', real: row.epoch, modelled: modelled.epoch });
		}
		for (const [i, modelled] of model.nodes.entries()) {
			if (modelled.alive === deadState) continue;
			const state = this.#node(i);
			compare(`deadline of ${state.node}`, ahead(deadlines[i]), modelAhead(modelled.deadline));
			compare(`validity of ${state.node}`, state.leaseMs, modelled.valid);
			compare(`ripeness of ${state.node}`, state.ripe, modelled.identityAge >= ticks.quietMs);
			for (const [id, { held, hold, letGo }] of modelled.sessions.entries()) {
				const holding = state.holding(id);
				compare(`${state.node} holds ${id}`, holding?.hold, held === none ? undefined : holds[hold]);
				epochs[id]?.push({ what: `held by ${state.node}`, real: holding?.epoch ?? 0, modelled: held });
				epochs[id]?.push({ what: `released by ${state.node}`, real: state.lastReleased(id) ?? 0, modelled: letGo });
			}
		}
		// Epochs of the model are relative, so their order is compared.
		for (const [id, list] of epochs.entries()) {
			for (const [index, one] of list.entries()) {
				for (const other of list.slice(index + 1)) {
					const order = Math.sign(one.modelled - other.modelled);
					compare(`order of the epochs of ${id}: ${one.what}, ${other.what}`, Math.sign(one.real - other.real), order);
				}
			}
		}
		return found;
	}

	/** What acts, by the real node logic, for each session. */
	acting(model: DescribedState): string[][] {
		return this.#ids.map((id) =>
			this.#nodes.flatMap((state, i) => (isRunning(model.nodes[i]?.alive) && state.mayAct(id) ? [state.node] : [])),
		);
	}

	get #ids(): number[] {
		return Array.from({ length: this.#sessions }, (_, id) => id);
	}

	get #runId(): string {
		return `run${this.#runs}`;
	}

	#node(i: number): NodeState {
		return this.#nodes[i] as NodeState;
	}

	async #writeSources(): Promise<void> {
		await this.#redis.batch([
			['SET', `${this.#prefix}:time`, this.#time],
			['SET', `${this.#prefix}:run`, this.#runId],
		]);
	}

	async #newRun(): Promise<void> {
		this.#runs++;
		await this.#writeSources();
	}

	#arguments(identity: string, args: readonly RedisArgument[]): RedisArgument[] {
		return [...commonArguments(identity, ticks, String(++this.#nonces)), ...args];
	}

	#run(script: RedisScript, { identity }: { identity: string }, args: readonly RedisArgument[]): Promise<unknown> {
		return this.#redis.script(script, this.#keys, this.#arguments(identity, args));
	}

	async #renew(state: NodeState, outcome: string): Promise<void> {
		const send = async () => {
			const renewal = state.beginRenewal();
			const args = this.#arguments(renewal.identity, renewalArguments(state.node, renewal));
			if (outcome === 'request held') this.#late = { kind: 'request', script: this.#scripts.renew, args };
			if (outcome === 'request lost' || outcome === 'request held') return undefined;
			return { renewal, reply: renewalReply(await this.#redis.script(this.#scripts.renew, this.#keys, args)) };
		};
		const answered = await send();
		if (outcome !== 'answered' || !answered) {
			state.unanswered();
			if (outcome === 'answer held' && answered) this.#late = { kind: 'answer', ...answered };
			return;
		}
		if (!state.hear(answered.renewal, answered.reply).newEngine || answered.reply.kind === 'renewed') return;
		const again = await send();
		if (again) state.hear(again.renewal, again.reply);
	}

	async #plan(i: number, { session, target, free }: { session: number; target: number; free: boolean }): Promise<void> {
		const { owner } = await this.#row(session);
		expectThat(free === (owner === undefined), `session ${session} is owned by ${owner}`);
		const to = names[target] as string;
		const change: TableChange = free
			? { op: 'assign', session, to }
			: { op: 'take', session, from: owner as string, renewals: -1, to };
		this.#plans.set(i, { change, version: await this.#version(), identity: this.#node(i).identity });
	}

	async #apply(i: number, done: boolean): Promise<void> {
		const plan = this.#plans.get(i) as Plan;
		this.#plans.delete(i);
		// What the node has seen of the owner counts when the plan is sent; with -1 the script refuses.
		const change =
			plan.change.op === 'take' ? { ...plan.change, renewals: this.#node(i).silentSince(plan.change.from) ?? -1 } : plan.change;
		const sentAfter = this.#node(i).lastRenewal;
		const outcome = await this.#change(i, { ...plan, change });
		expectThat(
			(outcome === 'done') === done,
			`the plan ${JSON.stringify(change)} is ${outcome}, in the model ${done ? 'done' : 'refused'}`,
		);
		if (!done || change.op === 'forget' || !('to' in change) || change.to !== names[i]) return;
		this.#node(i).hearGrant(change.session, (await this.#row(change.session)).epoch, sentAfter);
	}

	async #change(i: number, { change, version, identity }: Plan): Promise<string> {
		const ripe = this.#node(i).ripe ? 1 : 0;
		const args = [version, ripe, ticks.takeMarginMs, JSON.stringify([change])];
		const [kind, , outcomes] = (await this.#run(this.#scripts.apply, { identity }, args)) as [string, unknown, string[]];
		return kind === 'OK' ? (outcomes[0] as string) : kind;
	}

	async #handOver(i: number, session: number, outcome: string): Promise<void> {
		const state = this.#node(i);
		const given = state.giveAway(session);
		if (!given) throw new Error('the node may not hand over');
		const args = [state.node, session, given.epoch];
		if (outcome === 'request held') {
			this.#late = { kind: 'request', script: this.#scripts.handOver, args: this.#arguments(state.identity, args) };
			return;
		}
		const [kind] = (await this.#run(this.#scripts.handOver, state, args)) as string[];
		expectThat(kind === 'OK', `the hand-over is ${kind}`);
		if (outcome === 'answered') state.drop(session);
	}

	async #release(i: number, session: number, arrives: boolean): Promise<void> {
		const state = this.#node(i);
		const held = state.drop(session);
		if (!held) throw new Error('the node holds nothing to release');
		if (arrives) await this.#run(this.#scripts.release, state, [state.node, session, held.epoch]);
	}

	async #write(i: number, session: number, outcome: boolean | string): Promise<void> {
		const state = this.#node(i);
		const args = [state.node, session, state.holding(session)?.epoch ?? 0, '{}'];
		if (outcome === 'held') {
			this.#late = { kind: 'request', script: this.#scripts.saveRecord, args: this.#arguments(state.identity, args) };
			return;
		}
		const [kind] = (await this.#run(this.#scripts.saveRecord, state, args)) as string[];
		expectThat((kind === 'OK') === outcome, `the write is ${kind}, in the model ${outcome ? 'done' : 'refused'}`);
	}

	async #version(): Promise<number> {
		const [version] = await this.#redis.batch([['HGET', this.#keys[2] as string, 'version']]);
		return Number((version as Buffer | null)?.toString() ?? 0);
	}

	async #row(session: number): Promise<{ owner: string | undefined; epoch: number }> {
		const [row] = await this.#redis.batch([['HGET', this.#keys[2] as string, `s:${session}`]]);
		return sessionRow(session, (row as Buffer | null)?.toString() ?? '- 0 held - -', '');
	}

	#takeLate<K extends Late['kind']>(kind: K): Extract<Late, { kind: K }> {
		const late = this.#late;
		this.#late = undefined;
		if (late?.kind !== kind) throw new Error(`no ${kind} is held back`);
		return late as Extract<Late, { kind: K }>;
	}
}

const none = -50;

function isRunning(alive: number | undefined): boolean {
	return alive === 1 || alive === 3;
}

function expectThat(holds: boolean, otherwise: string): void {
	if (!holds) throw new Error(otherwise);
}
