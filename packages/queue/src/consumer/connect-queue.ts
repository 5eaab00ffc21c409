// The door of a worker: connects to the queue, and puts its place in the group and the intake of its events together.
import { randomBytes } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { IoredisPort, type IoredisPortOptions, MessageSeal, requireSuitableEngine, timingsFor } from '@shardctl/cluster';
import {
	age,
	botKey,
	type Clock,
	type Deferred,
	deferred,
	isSnowflake,
	messageOf,
	plural,
	type QueueConnectionStatus,
	type QueueNews,
	queueChannel,
	redisUrlProblem,
	ShardctlError,
	shardIdForGuild,
	systemClock,
} from '@shardctl/core';
import { groupScripts } from '../scripts/group-scripts.js';
import { type QueueKeys, queueKeys } from '../wire/keys.js';
import { partitionCount, type QueueLayout, shardOfPartition } from '../wire/partitions.js';
import { encodeSubscription } from '../wire/subscription.js';
import { type ConnectQueueOptions, checkQueueOptions, type MissedEvents } from './connect-options.js';
import { type CoreClient, CoreGateway, type SendPayload } from './core-gateway.js';
import { Effects } from './effects.js';
import { GatewayRequests } from './gateway-requests.js';
import { Intake, type IntakeCounters } from './intake.js';
import { Membership } from './membership.js';
import type { QueueEvent } from './queue-event.js';
import { oneLine, reasonOf } from './reason.js';

export type EventHandler = (event: QueueEvent) => unknown;

export interface QueueStats extends IntakeCounters {
	/** Partitions that this worker reads. */
	partitions: number;
	/** Workers of the group. */
	members: number;
	/** Events that it has and has not handled yet. */
	inHand: number;
	/** Of these, those that are being handled. */
	running: number;
}

const askAgainMs = 500;
const subscribeEveryMs = 5000;
/** A worker that has to wait longer for its handlers when it stops says so. */
const closePatienceMs = 5000;

/**
 * Connects to the queue of a bot. Events arrive from {@link Queue.run} on. Once a fleet writes to the queue the group exists, and from
 * then on it misses no event, whether it has workers or not, as long as the queue keeps it.
 *
 * Rejects with `OPTIONS_INVALID`, `TOKEN_MISSING`, `REDIS_UNAVAILABLE` or `REDIS_UNSUITABLE`.
 *
 * @example
 * const queue = await connectQueue({ group: 'commands', events: ['INTERACTION_CREATE'] });
 * queue.handle(async (event) => { … });
 * await queue.run();
 */
export async function connectQueue(options: ConnectQueueOptions): Promise<Queue> {
	checkQueueOptions(options);
	const url = options.url ?? (process.env.SHARDCTL_QUEUE || process.env.SHARDCTL_CLUSTER);
	if (!url)
		throw new ShardctlError(
			'OPTIONS_INVALID',
			'the queue needs the address of its Redis: set url or SHARDCTL_QUEUE, such as redis://localhost',
		);
	const wrong = options.url === undefined && redisUrlProblem(url);
	if (wrong)
		throw new ShardctlError('OPTIONS_INVALID', `${process.env.SHARDCTL_QUEUE ? 'SHARDCTL_QUEUE' : 'SHARDCTL_CLUSTER'} ${wrong}`);
	const token = options.token ?? process.env.DISCORD_TOKEN;
	if (!token) throw new ShardctlError('TOKEN_MISSING', 'the queue needs the token of the bot: set token or DISCORD_TOKEN');
	const tls = options.tls ?? (options.url === undefined ? givenTls() : undefined);
	const redis = new IoredisPort({ url, ...(tls && { tls }) });
	const secret = token.replace(/^Bot /, '');
	const applicationId = botKey(secret);
	const seal = new MessageSeal({ secret, applicationId });
	const queue = new Queue({ ...options, redis, keys: queueKeys(applicationId), clock: systemClock, seal, token: secret });
	try {
		await redis.ready();
		await requireSuitableEngine(redis, 'an event queue');
		await queue.subscribe();
		queue.report('connected');
		return queue;
	} catch (error) {
		await redis.close();
		throw error;
	}
}

/** From the manager of this process. */
function givenTls(): IoredisPortOptions['tls'] {
	const text = process.env.SHARDCTL_QUEUE_TLS;
	if (!text) return undefined;
	try {
		return JSON.parse(text) as IoredisPortOptions['tls'];
	} catch {
		throw new ShardctlError('OPTIONS_INVALID', 'SHARDCTL_QUEUE_TLS must be JSON: { "ca", "cert", "key" } with texts in PEM');
	}
}

/** The manager of this process, if there is one, listens. */
const reports = channel(queueChannel);

interface QueueParts extends ConnectQueueOptions {
	token: string;
	redis: IoredisPort;
	keys: QueueKeys;
	clock: Clock;
	seal: MessageSeal;
}

/** What is used of a `REST` of `@discordjs/rest`. */
export interface RestClient {
	setToken(token: string): unknown;
}

/** The state of a {@link Queue}. */
type State = 'connected' | 'running' | 'stopping' | 'closed';

/** A worker's connection to the queue. Made by {@link connectQueue}. */
export class Queue {
	/** For the `Client` of `@discordjs/core`; see {@link Queue.run}. */
	readonly gateway: CoreGateway;
	readonly #options: QueueParts;
	readonly #scripts = groupScripts();
	readonly #wanted: ReadonlySet<string>;
	readonly #member = randomBytes(8).toString('hex');
	readonly #requests: GatewayRequests;
	/** The data of interactions that have a deferred response. */
	readonly #deferred = new WeakSet<object>();
	#state: State = 'connected';
	#handler: EventHandler | undefined;
	#running: { membership: Membership; intake: Intake } | undefined;
	#ended: Deferred<void> = deferred();
	#closing: Promise<void> | undefined;
	/** Of the clock of Redis against the clock here, in ms. */
	#redisAhead = 0;
	#isFailing = false;
	#hasJoined = false;
	/** Once the group is there: since when this worker is, by the clock of Redis. */
	#subscription: { layout: QueueLayout; since: string } | undefined;
	#subscribedAtMs = 0;

	/** @internal Use {@link connectQueue}. */
	constructor(options: QueueParts) {
		this.#options = options;
		this.#wanted = new Set(options.events);
		this.gateway = new CoreGateway(
			() => this.#layout(),
			(shardId, payload) => this.#send(shardId, payload),
		);
		const { redis, keys, clock, seal } = options;
		this.#requests = new GatewayRequests({ redis, keys, member: this.#member, seal, clock });
	}

	/** Called with each event; the event is acknowledged when the returned promise is fulfilled, and tried again when it is rejected. */
	handle(handler: EventHandler): this {
		this.#handler = handler;
		return this;
	}

	/**
	 * Handles events until SIGTERM, SIGINT or {@link close}; then finishes those that are being handled, gives the others to the other
	 * workers, and resolves.
	 *
	 * @param client A `Client` of `@discordjs/core` that was made with {@link gateway}. An event is acknowledged when all of its listeners
	 *   have settled, and tried again when one of them has failed.
	 */
	async run(client?: CoreClient): Promise<void> {
		if (this.#state !== 'connected') throw new ShardctlError('OPTIONS_INVALID', 'run() was called before');
		if (client) this.#handler ??= (event) => this.gateway.deliver(client, event);
		const handler = this.#handler;
		if (!handler) {
			throw new ShardctlError(
				'OPTIONS_INVALID',
				'nothing handles the events: call queue.handle(fn) before run(), or run(client) with a Client of @discordjs/core',
			);
		}
		this.#state = 'running';
		const stop = () => {
			// A second signal of either kind ends the process.
			process.off('SIGTERM', stop);
			process.off('SIGINT', stop);
			void this.close();
		};
		process.on('SIGTERM', stop);
		process.on('SIGINT', stop);
		try {
			await this.#begin(handler);
			await this.#ended.promise;
		} catch (error) {
			await this.close();
			throw error;
		} finally {
			process.off('SIGTERM', stop);
			process.off('SIGINT', stop);
		}
	}

	/**
	 * Sends to Discord on the session that has the guild, such as op 8, whose answers arrive as GUILD_MEMBERS_CHUNK where the group has subscribed
	 * to it. Resolves when the gateway process has accepted it; it keeps Discord's limits.
	 *
	 * Rejects with `GATEWAY_UNAVAILABLE` while no gateway process has the shard, `OPTIONS_INVALID` for what Discord would refuse, and `CALL_TIMEOUT`.
	 */
	async send(guildId: string, payload: SendPayload): Promise<void> {
		await this.#send(await this.#shardOf(guildId), payload);
	}

	async #send(shardId: number, { op, d }: SendPayload): Promise<void> {
		// What Discord answers arrives as events of the guild that is named in it.
		const { guild_id: one, guild_ids: several } = (d ?? {}) as { guild_id?: unknown; guild_ids?: unknown };
		for (const id of [one, several].flat()) if (typeof id === 'string' && isSnowflake(id)) this.#running?.intake.expect(id);
		await this.#requests.ask(shardId, { kind: 'send', op, d });
	}

	/**
	 * A guild from the state that its gateway process keeps: what GUILD_CREATE would say now.
	 *
	 * Rejects as {@link send} does, and with `GUILD_NOT_FOUND`.
	 */
	guild(guildId: string): Promise<Record<string, unknown>> {
		const asked = this.#shardOf(guildId).then((shard) => this.#requests.ask(shard, { kind: 'guild', guildId }));
		return asked as Promise<Record<string, unknown>>;
	}

	/**
	 * Whether an interaction has a deferred response already; for listeners of a `Client` of `@discordjs/core`, which get no {@link QueueEvent}.
	 *
	 * @param data Of the event, the same object.
	 */
	isDeferred(data: object): boolean {
		return this.#deferred.has(data);
	}

	async #shardOf(guildId: string): Promise<number> {
		if (!isSnowflake(guildId)) throw new ShardctlError('OPTIONS_INVALID', `"${guildId}" is not the id of a guild`);
		const { shards } = await this.#layout();
		return shardIdForGuild(guildId, shards);
	}

	/** Rejects before anything has written to the queue. */
	async #layout(): Promise<QueueLayout> {
		const layout = this.#subscription?.layout ?? (await this.subscribe());
		if (layout) return layout;
		throw new ShardctlError(
			'GATEWAY_UNAVAILABLE',
			'no fleet has written to this queue yet: start one with --gateway queue, and try again',
		);
	}

	/** Ends {@link run}: resolves when nothing is being handled, everything handled is acknowledged, and the connections are closed. */
	close(): Promise<void> {
		this.#closing ??= this.#end();
		return this.#closing;
	}

	/**
	 * A client of Discord's REST API, made of the class `REST` of the bot's own `@discordjs/rest`, with the token of the bot. In a worker that
	 * shardctl runs, its requests go through the REST process, which keeps the limits of the bot for all workers of the fleet. Elsewhere it sends them
	 * to Discord (or `SHARDCTL_API`), and counts those of this process only.
	 *
	 * @param options Of the class. With an `api` of their own the requests go there.
	 *
	 * @example
	 * const client = new Client({ rest: queue.rest(REST), gateway: queue.gateway });
	 */
	rest<Rest extends RestClient, Options extends object>(REST: new (options?: Options) => Rest, options?: Options): Rest {
		const { SHARDCTL_API: api } = process.env;
		// An undefined `api` would replace the address of Discord that the library has.
		const rest = new REST({ ...(api && { api }), ...options } as Options);
		rest.setToken(this.#options.token);
		return rest;
	}

	get group(): string {
		return this.#options.group;
	}

	/** @internal */
	report(status: QueueConnectionStatus): void {
		const news: QueueNews = { connection: this, status };
		reports.publish(news);
	}

	stats(): QueueStats {
		const { membership, intake } = this.#running ?? {};
		const counters = intake?.counters ?? { handled: 0, redelivered: 0, expired: 0, missed: 0, dead: 0 };
		const load = intake?.load ?? { inHand: 0, running: 0 };
		return { ...counters, ...load, partitions: membership?.held.length ?? 0, members: membership?.members ?? 0 };
	}

	/** @internal The group exists from here on. Resolves with how the events are divided; undefined before anything has written to the queue. */
	async subscribe(): Promise<QueueLayout | undefined> {
		const { redis, keys, group, events, intents = null, defer = false } = this.#options;
		const subscription = encodeSubscription({ events, intents, defer });
		const [streams, records] = [keys.events(0).slice(0, -1), keys.record(0).slice(0, -1)];
		const [begins, since] = this.#subscription ? ['0', this.#subscription.since] : ['$', '0'];
		const [kind, shards, perShard, joined, removed] = (await redis.script(
			this.#scripts.subscribe,
			[keys.meta, keys.groups, keys.group(group)],
			[group, subscription, streams, keys.groupsChanged, begins, records, this.#member, since],
		)) as ['NOTHING'] | ['OK', string, string, string, 'REMOVED'?];
		this.#subscribedAtMs = this.#options.clock.monotonic();
		const layout = kind === 'OK' ? { shards: Number(shards), perShard: Number(perShard) } : undefined;
		if (layout) this.#subscription ??= { layout, since: String(joined) };
		if (removed) {
			this.#warn(
				`group "${group}" was removed while this worker did not respond, and is a new one now: it gets what is written from now on`,
			);
		}
		await this.#measureClock();
		return layout;
	}

	async #measureClock(): Promise<void> {
		const { redis, clock } = this.#options;
		const sentAt = clock.now();
		const [time] = (await redis.batch([['TIME']])) as [Buffer[]];
		this.#redisAhead = Number(time[0]) * 1000 + Number(time[1]) / 1000 - (sentAt + clock.now()) / 2;
	}

	async #begin(handler: EventHandler): Promise<void> {
		const { redis, keys, group, clock, concurrency = 100, leaseMs = 3000 } = this.#options;
		const layout = await this.#untilLayout();
		if (!layout) return;
		const onFailed = (error: unknown) => this.#failed(error);
		const intake: Intake = new Intake({
			redis,
			keys,
			layout,
			group,
			member: this.#member,
			concurrency,
			clock,
			effects: new Effects({ redis, keys, group }),
			wants: (type) => this.#wanted.has(type),
			epochOf: (partition) => membership.epochOf(partition),
			redisNow: () => clock.now() + this.#redisAhead,
			handle: async (event) => {
				if (event.deferred) this.#deferred.add(event.data as object);
				await handler(event);
			},
			onFenced: () => membership.soon(),
			onFailed,
			onMissed: (partition, count) => this.#missed({ count, partition, shardId: shardOfPartition(partition, layout) }),
			onDead: ({ key, type, reason }) =>
				this.#warn(`gave up the ${type} event ${key} after 3 tries: ${reason.slice(0, 200)} ("shardctl queue dead" lists it)`),
			onUnsettled: ({ key, type, guildId }, forMs) =>
				this.#warn(
					`the handler of the ${type} event ${key} has not settled for ${age(forMs)}: later events ${guildId === null ? 'without a guild' : `of guild ${guildId}`} wait for it`,
				),
		});
		const membership: Membership = new Membership({
			redis,
			keys,
			group,
			member: this.#member,
			partitions: partitionCount(layout),
			timings: timingsFor({ leaseMs }),
			clock,
			owner: {
				own: (partition, epoch) => intake.own(partition, epoch),
				finish: (partition) => intake.finish(partition),
				disown: (partition) => intake.disown(partition),
				confirmed: () => {
					if (!this.#hasJoined) this.report('joined');
					this.#hasJoined = true;
					this.#isFailing = false;
					intake.confirmed();
					// Redis may have lost the group.
					if (clock.monotonic() - this.#subscribedAtMs >= subscribeEveryMs) this.subscribe().catch(onFailed);
				},
			},
			onFailed,
		});
		this.#running = { membership, intake };
		const ring = (message: Buffer) => intake.ring(message.toString().split(',').map(Number));
		// Without the bell every turn reads.
		await redis.subscribe(keys.bell, ring).catch(onFailed);
		await membership.start();
	}

	/** How the events are divided, once something writes to the queue; undefined when {@link close} was called before. */
	async #untilLayout(): Promise<QueueLayout | undefined> {
		const { clock, group } = this.#options;
		for (let isWarned = false; this.#state === 'running'; ) {
			try {
				const layout = await this.subscribe();
				if (layout) {
					if (isWarned) this.#warn(`group "${group}": a fleet writes to the queue now, and the worker joins its group`);
					return layout;
				}
				if (!isWarned) {
					this.report('waiting');
					this.#warn(`group "${group}" waits: no fleet has written to this queue yet (start one with --gateway queue)`);
				}
				isWarned = true;
			} catch (error) {
				this.#failed(error);
			}
			await new Promise<void>((resolve) => clock.setTimeout(resolve, askAgainMs));
		}
		return undefined;
	}

	async #end(): Promise<void> {
		const { redis } = this.#options;
		this.#state = 'stopping';
		const slow = this.#options.clock.setTimeout(() => this.#warnOfUnsettled(), closePatienceMs);
		await this.#running?.membership.leave();
		this.#options.clock.clearTimeout(slow);
		this.#running?.intake.stop();
		await redis.close();
		this.#state = 'closed';
		this.report('closed');
		this.#ended.resolve();
	}

	#warnOfUnsettled(): void {
		const unsettled = this.#running?.intake.unsettled ?? [];
		const [first] = unsettled;
		if (!first) return;
		const others = unsettled.length > 1 ? ` and ${plural(unsettled.length - 1, 'other')}` : '';
		this.#warn(
			`the worker ends when its handlers have settled, and waits for that of the ${first.type} event ${first.key}${others}; a second signal ends it now, and the events go to other workers`,
		);
	}

	#failed(error: unknown): void {
		if (this.#isFailing || this.#state !== 'running') return;
		this.#isFailing = true;
		this.#warn(`${messageOf(error)}; trying again`);
	}

	#missed(missed: MissedEvents): void {
		const { group, onMissed } = this.#options;
		if (onMissed) this.#call('onMissed', () => onMissed(missed));
		else this.#warn(`group "${group}" has missed ${missed.count} events: the queue had removed them before they were handled`);
	}

	#warn(message: string): void {
		const { onWarning } = this.#options;
		if (onWarning) this.#call('onWarning', () => onWarning(message));
		else process.stderr.write(`shardctl queue: ${oneLine(message)}\n`);
	}

	/** What fails in it, or in a promise that it returns, must not reach what is being done with the events. */
	#call(name: string, callback: () => unknown): void {
		const failed = (error: unknown) =>
			process.stderr.write(`shardctl queue: ${name}() has failed: ${oneLine(reasonOf(error))}\n`);
		try {
			Promise.resolve(callback()).catch(failed);
		} catch (error) {
			failed(error);
		}
	}
}
