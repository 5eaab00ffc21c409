// The promise of the resident gateway, end to end: of two discord.js clients on real sockets one is connected to Discord directly, the other
// to a real gateway process. The second is restarted, killed, handed over and cut off, the gateway process is killed and
// replaced, and Discord ends its sessions, all at random points of a random stream. Their caches stay equal.
//
// Many worlds at once, one per shard, so that the gateway process serves all of them. What happens follows from the seed; replay one
// with CACHE_EQUALITY_SEED. Not compared, because it cannot be equal: what cacheOf and cachesAfterLoss name, and members that
// are known only from an interaction or typing that was delivered too late.
import { deepStrictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tempDir, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import type { Dispatch } from '../src/state/raw.js';
import { cacheOf, cachesAfterLoss } from './support/cached-client.js';
import { firstDifferences } from './support/differences.js';
import { DiscordWorld } from './support/discord-world.js';
import { LiveClient } from './support/live-client.js';
import { LiveDiscord } from './support/live-discord.js';
import { LiveGateway } from './support/live-gateway.js';
import { Progress } from './support/progress.js';
import { Random } from './support/random.js';
import { savedPath } from './support/saved-path.js';
import { TurnTaking } from './support/turn-taking.js';

const shards = 24;
const stepsPerShard = 240;
const gatewayReplacements = 4;

const seed = Number(process.env.CACHE_EQUALITY_SEED ?? Math.floor(Math.random() * 2 ** 31));

interface Setup {
	discord: LiveDiscord;
	gateway: LiveGateway;
	snapshotDir: string;
	/** The gateway process is not replaced during steps that must not be interrupted. */
	turns: TurnTaking;
	progress: Progress;
	nextIncarnation(): number;
}

/** One world, and its two clients. */
class Pair {
	events = 0;
	readonly #shardId: number;
	readonly #world: DiscordWorld;
	readonly #random: Random;
	readonly #setup: Setup;
	readonly #outages = new Set<string>();
	readonly #story: string[] = [];
	#direct!: LiveClient;
	#worker!: LiveClient;
	#workerReady: Promise<void> = Promise.resolve();
	#mark = 0;
	#upstreamBreaks = 0;
	/** Discord has ended a session: clients that log in after that know less than one that stayed. */
	#lost = false;

	constructor(shardId: number, world: DiscordWorld, random: Random, setup: Setup) {
		this.#shardId = shardId;
		this.#world = world;
		this.#random = random;
		this.#setup = setup;
	}

	async begin(): Promise<void> {
		this.#direct = this.#newDirect();
		await this.#untilReady(this.#direct);
		this.#newWorker();
		await this.#workerReady;
	}

	async run(): Promise<void> {
		for (let step = 1; step <= stepsPerShard; step++) {
			this.#happen();
			if (this.#random.chance(10)) await this.#do(this.#random.of(doings));
			if (step % 60 === 0) await this.#compare();
			this.#setup.progress.step();
			await new Promise((resolve) => setTimeout(resolve, this.#random.upTo(20)));
		}
		await this.#workerReady;
		await this.#restart();
		await this.#compare();
	}

	async end(): Promise<void> {
		await Promise.all([this.#direct.end(), this.#worker.end()]);
	}

	/** One change in the world, sent to every client that is connected. */
	#happen(): void {
		for (const dispatch of this.#world.happen(this.#random.numbers())) {
			// These are not delivered when they are late.
			if (/^(INTERACTION_CREATE|TYPING_START)$/.test(dispatch.t) && !this.#workerIsThere) continue;
			this.#send(dispatch);
		}
	}

	#noteOutage({ t, d }: Dispatch): void {
		const { id, unavailable } = d as { id: string; unavailable?: boolean };
		if (t === 'GUILD_DELETE' && unavailable) this.#outages.add(id);
	}

	#send(dispatch: Dispatch): void {
		this.#noteOutage(dispatch);
		this.#setup.discord.say(this.#shardId, dispatch);
		this.events++;
	}

	async #do(doing: (typeof doings)[number]): Promise<void> {
		// The gateway backs off while Discord keeps closing the connection.
		if (/gateway|session/.test(doing) && ++this.#upstreamBreaks > 4) return;
		await this.#workerReady;
		this.#story.push(`${this.#mark}+ ${doing}`);
		await doingsOf[doing](this);
	}

	readonly drops = () => this.#worker.drop();
	readonly dropsUpstream = () => this.#setup.discord.drop(this.#shardId, 'upstream');
	readonly restarts = () => this.#restart();
	readonly dies = () => this.#restart({ kill: true });
	readonly handsOver = () => this.#setup.turns.share(() => this.#handOver());
	readonly losesSession = () => this.#setup.turns.share(() => this.#loseSession());

	async #restart(how?: { kill: boolean }): Promise<void> {
		const ended = this.#worker.end(how);
		for (let events = this.#random.upTo(5); events > 0; events--) this.#happen();
		await ended;
		this.#newWorker();
	}

	async #handOver(): Promise<void> {
		const { gateway } = this.#setup;
		const incarnation = this.#setup.nextIncarnation();
		const params = { incarnation, shardIds: [this.#shardId] };
		const old = this.#worker;
		await gateway.request('handover.begin', params);
		const successor = this.#client(gateway.api(incarnation));
		await gateway.request('handover.waiting', params);
		this.#happen();
		await gateway.request('handover.pause', params);
		await gateway.request('handover.present', params);
		this.#happen();
		await this.#untilReady(successor);
		await gateway.request('worker.ready', params);
		// Whichever happens first, as with the manager: a worker without a connection cannot log out.
		const released = gateway.request('handover.released', params).catch(() => {});
		await Promise.race([old.end(), released]);
		this.#happen();
		await gateway.request('handover.commit', params);
		gateway.noteExpected(this.#shardId, incarnation, { ready: true });
		this.#worker = successor;
	}

	/** Discord ends the gateway's session, and changes happen that are sent to no client; the direct client logs in again at the same time. */
	async #loseSession(): Promise<void> {
		const { discord, snapshotDir } = this.#setup;
		await this.#direct.end();
		const letIdentify = discord.holdIdentifies(this.#shardId);
		discord.end(this.#shardId, 'upstream');
		for (let events = this.#random.upTo(20); events > 0; events--) {
			// An outage shows in the next session.
			for (const dispatch of this.#world.happen(this.#random.numbers())) this.#noteOutage(dispatch);
		}
		letIdentify();
		const session = await waitFor('the gateway to log in again', () => discord.sessionId(this.#shardId, 'upstream'));
		this.#direct = this.#newDirect();
		await this.#untilReady(this.#direct);
		this.#lost = true;
		// A process that takes over before the session is saved would have to start another one.
		await waitFor('the session to be saved', () =>
			readFileSync(savedPath(snapshotDir, this.#shardId), 'latin1').includes(session),
		);
	}

	async #compare(): Promise<void> {
		const mark = ++this.#mark;
		await this.#workerReady;
		this.#setup.discord.say(this.#shardId, { t: 'SHARDCTL_MARK', d: { mark } });
		const reached = () => this.#direct.hasReached(mark) && this.#worker.hasReached(mark);
		await waitFor(`both clients of shard ${this.#shardId} to be at mark ${mark}`, reached).catch((cause: unknown) => {
			const standing = `with Discord: ${this.#direct.standing}; behind the gateway: ${this.#worker.standing}`;
			throw new Error(`${standing} (${this.#account})`, { cause });
		});
		const [direct, worker] = [this.#direct, this.#worker].map(({ client }) => client);
		if (!direct || !worker) return;
		const [expected, found] = this.#lost ? cachesAfterLoss(direct, worker) : [cacheOf(direct), cacheOf(worker)];
		try {
			deepStrictEqual(found, expected);
		} catch (cause) {
			const where = firstDifferences(expected, found).join('\n');
			throw new Error(`the caches of shard ${this.#shardId} differ at mark ${mark} (${this.#account}):\n${where}`, { cause });
		}
	}

	get #account(): string {
		const notices = this.#setup.gateway.notices.filter(({ shardIds }) => shardIds.includes(this.#shardId));
		return `seed ${seed}; ${this.#story.join(', ')}; ${notices.map(({ kind }) => kind).join(', ')}`;
	}

	get #workerIsThere(): boolean {
		return this.#worker.isConnected && !this.#setup.gateway.isAway;
	}

	#newDirect(): LiveClient {
		return this.#client(this.#setup.discord.api('direct'));
	}

	#newWorker(): void {
		this.#workerReady = this.#bringUp();
		// Callers that wait for the worker get this error.
		this.#workerReady.catch(() => {});
	}

	/** Starts a worker, and the next one if it exits because of that, as a bot does whose login fails with its gateway process. */
	async #bringUp(): Promise<void> {
		const { gateway, nextIncarnation } = this.#setup;
		for (;;) {
			const incarnation = nextIncarnation();
			await gateway.expect(this.#shardId, incarnation);
			const worker = this.#client(gateway.api(incarnation));
			this.#worker = worker;
			await this.#untilReady(worker);
			if (!worker.hasFailed) return gateway.noteReady(this.#shardId, incarnation);
			this.#story.push('login failed');
			await worker.end();
		}
	}

	async #untilReady(client: LiveClient): Promise<void> {
		const what = `a new client of shard ${this.#shardId} to be ready (${this.#account})`;
		await waitFor(what, () => client.client.isReady() || client.hasFailed);
	}

	#client(api: string): LiveClient {
		return new LiveClient({ api, shard: [this.#shardId, shards], outages: this.#outages });
	}
}

const doings = [
	'the worker is cut off',
	'the gateway is cut off',
	'restart',
	'kill',
	'hand over',
	'the session is lost',
] as const;

const doingsOf: Record<(typeof doings)[number], (pair: Pair) => unknown> = {
	'the worker is cut off': (pair) => pair.drops(),
	'the gateway is cut off': (pair) => pair.dropsUpstream(),
	restart: (pair) => pair.restarts(),
	kill: (pair) => pair.dies(),
	'hand over': (pair) => pair.handsOver(),
	'the session is lost': (pair) => pair.losesSession(),
};

it(`keeps the cache of a bot behind the gateway equal to that of one without (seed ${seed})`, async () => {
	const random = new Random(seed);
	// With the current time, because the state drops what is long over.
	const now = Date.now();
	const worlds = Array.from({ length: shards }, () => new DiscordWorld(random.chance(50) ? [] : random.numbers(), now));
	const discord = new LiveDiscord(worlds);
	await discord.open();
	onTestFinished(() => discord.close());
	const snapshotDir = tempDir('shardctl-equality-');
	const gateway = new LiveGateway({
		gatewayId: 0,
		shardIds: worlds.map((_, shardId) => shardId),
		layout: { generation: 0, totalShards: shards, sessions: shards },
		api: discord.api('upstream'),
		gateway: discord.info('upstream'),
		snapshotDir,
		delivery: 'at-most-once',
		compression: 'none',
		buffer: { events: 50_000, bytes: 64 * 2 ** 20, ageMs: 600_000 },
	});
	await gateway.open();
	onTestFinished(() => gateway.close());
	let incarnations = 0;
	const turns = new TurnTaking();
	const progress = new Progress();
	const setup = { discord, gateway, snapshotDir, turns, progress, nextIncarnation: () => ++incarnations };
	const pairs = worlds.map((world, shardId) => new Pair(shardId, world, random.fork(), setup));

	const over = new AbortController();
	const stretch = Math.floor((shards * stepsPerShard) / gatewayReplacements);
	const replaceGateway = async (count: number) => {
		await progress.reached(count * stretch + random.upTo(stretch));
		if (!over.signal.aborted) await turns.alone(() => gateway.replace({ kill: count % 2 === 0 }));
	};
	const replaceGateways = async () => {
		for (let count = 0; count < gatewayReplacements; count++) await replaceGateway(count);
	};
	// All sessions have begun and are saved before the first process is killed: the next one could not resume them otherwise.
	await Promise.all(pairs.map((pair) => pair.begin()));
	try {
		await Promise.all([replaceGateways(), ...pairs.map((pair) => pair.run())]);
	} finally {
		over.abort();
		await turns.alone(async () => {});
		await Promise.all(pairs.map((pair) => pair.end()));
	}
	expect(discord.logins.upstream).toEqual(discord.logins.direct);
	expect(gateway.notices.filter(({ kind }) => kind === 'snapshot:unusable')).toEqual([]);
});
