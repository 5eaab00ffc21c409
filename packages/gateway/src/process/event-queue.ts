// What a gateway process has of the event queue: its own connection to Redis, the writer of each of its shards, and what the groups of
// workers have subscribed to. Loaded only where the fleet has a queue.
import { IoredisPort, MessageSeal } from '@shardctl/cluster';
import {
	type Clock,
	type GatewayQueueConfig,
	intentBits,
	plural,
	privilegedIntentBits,
	type ShardctlError,
	sleep,
	type Timer,
} from '@shardctl/core';
import { intentsForEvent } from '@shardctl/gateway-protocol';
import {
	decodeSubscription,
	type GatewayRequest,
	InteractionDeferral,
	interactionEvent,
	queueKeys,
	queueLayout,
	RequestResponder,
	ShardWriter,
	type Subscription,
} from '@shardctl/queue';
import type { SessionTerms } from '../upstream/upstream-shard.js';

export interface EventQueueOptions {
	config: GatewayQueueConfig;
	totalShards: number;
	/** Of the bot: what workers ask is sealed with it. */
	token: string;
	clock: Clock;
	/** Base URL of Discord's REST API. */
	api: string;
	/** Interactions were not deferred that were to be. */
	onNotDeferred(message: string): void;
	/** In a cluster: the epoch of the session's owner. */
	epoch?(): number | undefined;
}

export interface ShardWriterEvents {
	onWritten(position: number): void;
	onChange(): void;
	onFailed(error: ShardctlError): void;
	onRecovered(failedForMs: number): void;
	onLost(events: number | undefined): void;
}

/** What a lost message would have said. */
const lookEveryMs = 2000;

export class EventQueue {
	readonly #options: EventQueueOptions;
	readonly #redis: IoredisPort;
	readonly #keys;
	/** Resolves when the connection works, or does not after a while. Never rejects. */
	readonly connected: Promise<void>;
	readonly #deferral: InteractionDeferral;
	#wanted: ReadonlySet<string> = new Set();
	/** Whether a group asks for deferred responses to interactions, and whether one asks that only the user sees them. */
	#defers: { isEphemeral: boolean } | undefined;
	#intents = 0;
	#timer: Timer | undefined;
	#isReady = false;
	#closed = false;
	/** Ends the waits. */
	readonly #lifetime = new AbortController();

	constructor(options: EventQueueOptions) {
		this.#options = options;
		this.#redis = new IoredisPort(options.config.redis);
		this.#keys = queueKeys(options.config.applicationId);
		const { clock, api, onNotDeferred } = options;
		this.#deferral = new InteractionDeferral({
			redis: this.#redis,
			keys: this.#keys,
			clock,
			api,
			onFailed: (count, reason) => onNotDeferred(`${plural(count, 'interaction')} got no deferred response: ${reason}`),
		});
		this.connected = this.#redis.ready(lookEveryMs).catch(() => {});
	}

	/** Whether it is known what the groups have subscribed to. */
	get isReady(): boolean {
		return this.#isReady;
	}

	/** Whether any group has subscribed to a type. */
	wants(type: string): boolean {
		return this.#wanted.has(type);
	}

	/** See {@link InteractionDeferral.begin}. Undefined also where no group asks for it. */
	defer(data: unknown, key: string): Promise<boolean> | undefined {
		return this.#defers && !this.#closed ? this.#deferral.begin(data, key, this.#defers) : undefined;
	}

	/** The writer of a shard; it writes once it is started. */
	writer(shard: number, events: ShardWriterEvents): ShardWriter {
		const { config, totalShards, clock, epoch } = this.#options;
		return new ShardWriter({
			...events,
			redis: this.#redis,
			keys: this.#keys,
			layout: queueLayout(totalShards),
			shard,
			clock,
			keep: config.keep,
			...(epoch && { epoch }),
		});
	}

	/** Responds to what workers ask about a shard, while its writer writes. */
	answer(shard: number, writer: ShardWriter, answer: (request: GatewayRequest) => unknown): void {
		const { config, token, clock } = this.#options;
		const responder = new RequestResponder({
			redis: this.#redis,
			keys: this.#keys,
			shard,
			seal: new MessageSeal({ secret: token, applicationId: config.applicationId }),
			clock,
			isOwner: () => writer.accepting,
			answer,
		});
		const start = async (): Promise<void> => {
			if (this.#closed) return;
			const retry = () => sleep(clock, lookEveryMs, this.#lifetime.signal).then(start, () => {});
			await responder.start().catch(retry);
		};
		this.connected.then(start, start);
	}

	/**
	 * Follows what the groups subscribe to. `onTerms` is called once it is known, and again when they need more, with what a session with
	 * Discord needs for it; null: no group is there yet.
	 */
	start(onTerms: (terms: SessionTerms | null) => void): void {
		const look = async () => {
			const { clock } = this.#options;
			clock.clearTimeout(this.#timer);
			// Where Redis does not answer, the writers report it.
			await this.#look(onTerms).catch(() => {});
			if (this.#closed) return;
			clock.clearTimeout(this.#timer);
			this.#timer = clock.setTimeout(() => void look(), lookEveryMs);
		};
		const follow = async () => {
			await this.connected;
			if (!this.#closed) await this.#redis.subscribe(this.#keys.groupsChanged, () => void look()).catch(() => {});
			if (!this.#closed) await look();
		};
		// Nothing of it rejects.
		follow().catch(() => {});
	}

	async stop(): Promise<void> {
		this.#closed = true;
		this.#lifetime.abort();
		this.#options.clock.clearTimeout(this.#timer);
		await this.#deferral.stop();
		await this.#redis.close();
	}

	async #look(onTerms: (terms: SessionTerms | null) => void): Promise<void> {
		const [fields, unread] = (await this.#redis.batch([
			['HVALS', this.#keys.groups],
			['HGET', this.#keys.meta, 'unread'],
		])) as [Buffer[], Buffer | null];
		const subscriptions = fields.map((text) => decodeSubscription(text.toString())).filter((each) => each !== undefined);
		const isFirst = !this.#isReady;
		this.#isReady = true;
		// A Redis that lost its data has no groups; their workers subscribe again. Where the last group was removed, nothing is wanted.
		if (subscriptions.length > 0 || unread) {
			this.#wanted = new Set(subscriptions.flatMap(({ events }) => events));
			const defers = subscriptions.flatMap(({ events, defer }) => (defer && events.includes(interactionEvent) ? [defer] : []));
			this.#defers = defers.length === 0 ? undefined : { isEphemeral: defers.includes('ephemeral') };
		}
		const intents = subscriptions.reduce((bits, each) => bits | intentsOf(each), this.#intents);
		if (intents === this.#intents && !isFirst) return;
		this.#intents = intents;
		onTerms(intents === 0 ? null : { intents, largeThreshold: null, presence: null });
	}
}

/** The state needs GUILDS. Of several intents that an event may come by, those that every bot has are enough. */
function intentsOf({ events, intents }: Subscription): number {
	if (intents !== null) return intents | intentBits.GUILDS;
	const needed = events.map((type) => {
		const all = intentsForEvent(type) | intentsForEvent(type, { direct: true });
		return all & ~privilegedIntentBits || all;
	});
	return needed.reduce((bits, each) => bits | each, intentBits.GUILDS);
}
