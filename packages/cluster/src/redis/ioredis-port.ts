// The port on ioredis: one connection for scripts and commands, a second one once something subscribes. ioredis must never send a
// command again by itself, and never hold one back: a hand-over that runs twice, or late, is what the lease protocol guards against.
import { createHash } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { messageOf, ShardctlError } from '@shardctl/core';
import { Redis } from 'ioredis';
import { connectionReason, connectionRemedy } from './connection-remedy.js';
import type { RedisArgument, RedisCallOptions, RedisCommand, RedisPort, RedisScript } from './redis-port.js';

export interface IoredisPortOptions {
	/** `redis://`, `rediss://`; the password may be in it. */
	url: string;
	tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>;
	/** Of a call without one of its own (default 3000). */
	timeoutMs?: number;
	/** A connection on which an answer is due and nothing arrives for this long is replaced (default 3000). */
	silenceMs?: number;
	/** A ping of the second connection, which would otherwise not be found out when it is dead (default 5000). */
	pingMs?: number;
	/** Called when a connection breaks or cannot be made, with the reason. */
	onDown?(error: unknown): void;
	onUp?(): void;
}

interface Subscription {
	readonly listeners: Set<(message: Buffer) => void>;
	readonly gaps: Set<() => void>;
}

const reconnectMs = { first: 50, most: 500 };

export class IoredisPort implements RedisPort {
	readonly #options: IoredisPortOptions;
	readonly #timeoutMs: number;
	readonly #client: Redis;
	#subscriber: Redis | undefined;
	#ping: NodeJS.Timeout | undefined;
	readonly #subscriptions = new Map<string, Subscription>();
	readonly #hashes = new Map<string, string>();
	#closed: Promise<void> | undefined;

	constructor(options: IoredisPortOptions) {
		this.#options = options;
		this.#timeoutMs = options.timeoutMs ?? 3000;
		this.#client = this.#connect();
	}

	/** Resolves when the connection works. Rejects with `REDIS_UNAVAILABLE` after `timeoutMs`. */
	async ready(timeoutMs = this.#timeoutMs): Promise<void> {
		await becomesReady(this.#client, timeoutMs, this.#address);
	}

	async script(
		script: RedisScript,
		keys: readonly string[],
		args: readonly RedisArgument[],
		{ timeoutMs = this.#timeoutMs, isRare = false }: RedisCallOptions = {},
	): Promise<unknown> {
		const rest = [keys.length, ...keys, ...args.map(wire)];
		const run = (name: string, text: string) =>
			script.binary ? this.#client.callBuffer(name, [text, ...rest]) : this.#client.call(name, [text, ...rest]);
		return this.#within(timeoutMs, script.name, async () => {
			if (isRare) return await run('EVAL', script.lua);
			try {
				return await run('EVALSHA', this.#hash(script));
			} catch (error) {
				// The script cache was emptied, or this is a new engine. The first command has had no effect.
				if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
				return await run('EVAL', script.lua);
			}
		});
	}

	async batch(commands: readonly RedisCommand[], { timeoutMs = this.#timeoutMs }: RedisCallOptions = {}): Promise<unknown[]> {
		return this.#within(timeoutMs, 'batch', () =>
			Promise.all(commands.map(async ([name, ...args]) => await this.#client.callBuffer(name, args.map(wire)))),
		);
	}

	async subscribe(channel: string, listener: (message: Buffer) => void, onGap?: () => void): Promise<() => Promise<void>> {
		const subscriber = this.#subscribing();
		let subscription = this.#subscriptions.get(channel);
		if (!subscription) {
			subscription = { listeners: new Set(), gaps: new Set() };
			this.#subscriptions.set(channel, subscription);
		}
		const { listeners, gaps } = subscription;
		listeners.add(listener);
		if (onGap) gaps.add(onGap);
		const leave = async () => {
			listeners.delete(listener);
			if (onGap) gaps.delete(onGap);
			if (listeners.size > 0 || this.#subscriptions.get(channel) !== subscription) return;
			this.#subscriptions.delete(channel);
			await subscriber.unsubscribe(channel).catch(() => {});
		};
		try {
			await becomesReady(subscriber, this.#timeoutMs, this.#address);
			await this.#within(this.#timeoutMs, 'subscribe', async () => await subscriber.subscribe(channel));
		} catch (error) {
			await leave();
			throw error;
		}
		return leave;
	}

	async publish(channel: string, message: string | Uint8Array): Promise<number> {
		return this.#within(this.#timeoutMs, 'publish', async () =>
			Number(await this.#client.call('PUBLISH', [channel, wire(message)])),
		);
	}

	close(): Promise<void> {
		this.#closed ??= (async () => {
			clearInterval(this.#ping);
			this.#subscriptions.clear();
			await Promise.all([this.#client, this.#subscriber].map(async (client) => client && (await ended(client))));
		})();
		return this.#closed;
	}

	#connect(): Redis {
		const { url, tls, silenceMs = 3000, onDown, onUp } = this.#options;
		const client = new Redis(url, {
			autoResendUnfulfilledCommands: false,
			autoResubscribe: false,
			connectTimeout: silenceMs,
			enableOfflineQueue: false,
			keepAlive: 1000,
			maxRetriesPerRequest: 0,
			retryStrategy: (attempt: number) => Math.min(reconnectMs.first * 2 ** (attempt - 1), reconnectMs.most),
			socketTimeout: silenceMs,
			...(tls && { tls }),
		});
		client.on('error', (error) => onDown?.(error));
		client.on('ready', () => onUp?.());
		return client;
	}

	#subscribing(): Redis {
		if (this.#subscriber) return this.#subscriber;
		const subscriber = this.#connect();
		this.#subscriber = subscriber;
		subscriber.on('messageBuffer', (channel: Buffer, message: Buffer) => {
			for (const listener of this.#subscriptions.get(channel.toString())?.listeners ?? []) listener(message);
		});
		let first = true;
		subscriber.on('ready', () => {
			if (!first) void this.#subscribeAgain(subscriber);
			first = false;
		});
		this.#ping = setInterval(() => void subscriber.ping().catch(() => {}), this.#options.pingMs ?? 5000);
		return subscriber;
	}

	async #subscribeAgain(subscriber: Redis): Promise<void> {
		for (const [channel, { gaps }] of this.#subscriptions) {
			// Without success the connection is broken again, and the next one gets another try.
			await subscriber.subscribe(channel).then(
				() => {
					for (const onGap of gaps) onGap();
				},
				() => {},
			);
		}
	}

	#hash({ lua }: RedisScript): string {
		let hash = this.#hashes.get(lua);
		if (!hash) {
			hash = createHash('sha1').update(lua).digest('hex');
			this.#hashes.set(lua, hash);
		}
		return hash;
	}

	get #address(): string {
		const { protocol, host } = new URL(this.#options.url);
		return `${protocol}//${host}`;
	}

	#within<T>(timeoutMs: number, what: string, run: () => Promise<T>): Promise<T> {
		return new Promise((resolve, reject) => {
			const timer = setTimeout(
				() =>
					reject(new ShardctlError('CALL_TIMEOUT', `Redis at ${this.#address} did not answer ${what} within ${timeoutMs} ms`)),
				timeoutMs,
			);
			run().then(
				(answer) => {
					clearTimeout(timer);
					resolve(answer);
				},
				(error: unknown) => {
					clearTimeout(timer);
					reject(ShardctlError.is(error) ? error : this.#refusal(what, error));
				},
			);
		});
	}

	#refusal(what: string, error: unknown): ShardctlError {
		const message = messageOf(error);
		// Redis' own errors begin with a code in capitals.
		if ((error as Error | undefined)?.name === 'ReplyError') {
			return new ShardctlError('REDIS_REFUSED', `Redis at ${this.#address} refused ${what}: ${message}`, {
				cause: error,
				details: { reply: message.split(' ', 1)[0] },
			});
		}
		return new ShardctlError(
			'REDIS_UNAVAILABLE',
			`Redis at ${this.#address} cannot be reached for ${what}: ${connectionProblem(error)}`,
			{
				cause: error,
			},
		);
	}
}

/** What the client says of a command that was under way when its connection broke is about one of its own options. */
function connectionProblem(error: unknown): string {
	const isBroken = (error as Error | undefined)?.name === 'MaxRetriesPerRequestError';
	return isBroken ? 'the connection broke before the answer' : messageOf(error);
}

function wire(argument: RedisArgument): string | number | Buffer {
	return argument instanceof Uint8Array ? Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength) : argument;
}

async function becomesReady(client: Redis, timeoutMs: number, address: string): Promise<void> {
	if (client.status === 'ready') return;
	await new Promise<void>((resolve, reject) => {
		let reason: unknown;
		const stop = () => {
			clearTimeout(timer);
			client.off('ready', onReady);
			client.off('error', onError);
		};
		const onReady = () => {
			stop();
			resolve();
		};
		const onError = (error: unknown) => {
			reason = error;
		};
		const timer = setTimeout(() => {
			stop();
			// Some of Redis' own messages end with a full stop.
			const why = reason === undefined ? `no answer within ${timeoutMs} ms` : connectionReason(reason).replace(/\.$/, '');
			const remedy = connectionRemedy(reason, { tls: address.startsWith('rediss:') });
			reject(
				new ShardctlError('REDIS_UNAVAILABLE', `Redis at ${address} cannot be reached: ${why}. ${remedy}`, {
					cause: reason,
				}),
			);
		}, timeoutMs);
		client.on('ready', onReady);
		client.on('error', onError);
	});
}

async function ended(client: Redis): Promise<void> {
	// Between two attempts to connect there is no connection whose end ioredis would report.
	const hasSocket = ['connecting', 'connect', 'ready'].includes(client.status);
	const end = new Promise<void>((resolve) => client.once('end', () => resolve()));
	client.disconnect();
	if (hasSocket) await end;
}
