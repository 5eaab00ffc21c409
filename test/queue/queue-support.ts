// What the tests of the event queue share: a writer that is fed numbered events, and workers whose events are noted.
import { systemClock } from '@shardctl/core';
import {
	type ConnectQueueOptions,
	connectQueue,
	type Queue,
	type QueueEvent,
	queueKeys,
	queueLayout,
	ShardWriter,
	type ShardWriterOptions,
} from '@shardctl/queue';
import type { RedisPort } from '../../packages/cluster/src/redis/redis-port.js';

/** As `botKey` makes the application id of it. */
export const applicationId = '80351110224678912';
export const token = `${Buffer.from(applicationId).toString('base64')}.abc.def`;
export const keys = queueKeys(applicationId);

/** A guild of shard 0 of one, which no other number has. */
export const guild = (n: number) => String((BigInt(n) + 1n) << 22n);

export interface NumberedWriter {
	readonly writer: ShardWriter;
	readonly failures: string[];
	/** Position through which everything is in the streams. */
	readonly written: () => number;
	/** Writes the next event of a guild; its data is `{ guild, n, content: 'guild:n' }`, with a number of the guild. */
	write(guildNumber: number): void;
	/** How many events each guild has. */
	readonly counts: ReadonlyMap<number, number>;
}

export function numberedWriter(redis: RedisPort, options: Partial<ShardWriterOptions> = {}): NumberedWriter {
	let [position, written] = [0, 0];
	const failures: string[] = [];
	const counts = new Map<number, number>();
	const writer = new ShardWriter({
		redis,
		keys,
		layout: queueLayout(1),
		shard: 0,
		clock: systemClock,
		keep: { bytes: 256 * 1024 * 1024, ageMs: 600_000 },
		onWritten: (through) => {
			written = through;
		},
		onChange: () => {},
		onFailed: ({ code }) => failures.push(code),
		onRecovered: () => {},
		...options,
	});
	return {
		writer,
		failures,
		written: () => written,
		counts,
		write(guildNumber) {
			const n = (counts.get(guildNumber) ?? 0) + 1;
			counts.set(guildNumber, n);
			position++;
			const data = JSON.stringify({ guild: guildNumber, n, content: `${guildNumber}:${n}` });
			writer.push({
				position,
				session: 'a',
				seq: position,
				type: 'MESSAGE_CREATE',
				guildId: guild(guildNumber),
				subjectId: null,
				sizeBytes: data.length,
				data: () => data,
			});
		},
	};
}

export interface NotingWorker {
	readonly queue: Queue;
	/** `guild:n` in the order in which they were handled. */
	readonly handled: string[];
	readonly running: Promise<void>;
}

export async function notingWorker(
	url: string,
	{ onEvent, ...options }: Partial<ConnectQueueOptions> & { onEvent?(event: QueueEvent): unknown } = {},
): Promise<NotingWorker> {
	const queue = await connectQueue({
		group: 'g',
		events: ['MESSAGE_CREATE'],
		url,
		token,
		leaseMs: 60_000,
		onWarning: () => {},
		...options,
	});
	const handled: string[] = [];
	queue.handle(async (event) => {
		await onEvent?.(event);
		const { guild: number, n } = event.data as { guild: number; n: number };
		handled.push(`${number}:${n}`);
	});
	return { queue, handled, running: queue.run() };
}

/** Fails where a number is missing, or is not preceded by the one before it. A number that was handled before may be repeated. */
export function orderProblems(handled: readonly string[], counts: ReadonlyMap<number, number>): string[] {
	const problems: string[] = [];
	const newest = new Map<string, number>();
	for (const each of handled) {
		const [guildNumber = '', n] = each.split(':');
		const last = newest.get(guildNumber) ?? 0;
		if (Number(n) > last + 1) problems.push(`guild ${guildNumber}: ${n} after ${last}`);
		newest.set(guildNumber, Math.max(last, Number(n)));
	}
	for (const [guildNumber, count] of counts) {
		if (newest.get(String(guildNumber)) !== count)
			problems.push(`guild ${guildNumber}: ${newest.get(String(guildNumber)) ?? 0} of ${count}`);
	}
	return problems;
}
