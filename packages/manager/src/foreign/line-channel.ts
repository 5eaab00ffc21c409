// The line protocol: JSON texts, one a line, over file descriptor 3 of a worker's process that is not Node's. A program may ignore it.
// Checks what arrives and keeps the bounds; what a message means is foreign-source.ts's affair.
import type { Duplex } from 'node:stream';
import { guardListener, messageOf, ShardctlError } from '@shardctl/core';
import { z } from 'zod';

/** Of one message, either way. */
const maxLineBytes = 1024 * 1024;
/** What the program has not read yet. */
const maxUnreadBytes = 8 * 1024 * 1024;

const name = z.string().min(1).max(200);
const text = (longest: number) =>
	z.string().transform((given) => (given.length > longest ? `${given.slice(0, longest)}…` : given));

const fromProgram = z.discriminatedUnion('type', [
	/** The program speaks the protocol. `shutdown`: it wants a message, and no SIGTERM, when it is to end. */
	z.object({
		type: z.literal('hello'),
		handlers: z.array(name).max(1000).optional(),
		shutdown: z.boolean().optional(),
	}),
	z.object({
		type: z.literal('reply'),
		id: z.int().nonnegative(),
		result: z.unknown().optional(),
		error: z.object({ message: text(4000), code: z.string().max(100).optional() }).optional(),
	}),
	/** A call of the program into the fleet. */
	z.object({
		type: z.literal('call'),
		id: z.int().nonnegative(),
		name,
		args: z.array(z.unknown()).optional(),
		shard: z.int().nonnegative().optional(),
		guildId: z.string().max(30).optional(),
		timeoutMs: z.number().nonnegative().optional(),
	}),
	/** From our sitecustomize: the library of the bot, and what its author has to change. */
	z.object({ type: z.literal('attached'), library: text(200) }),
	z.object({ type: z.literal('problem'), message: text(4000), fatal: z.boolean() }),
]);

export type FromProgram = z.infer<typeof fromProgram>;

export type ToProgram =
	| { type: 'hello'; worker: number; shards: readonly number[]; totalShards: number }
	| { type: 'call'; id: number; name: string; args: unknown[] }
	| { type: 'reply'; id: number; result?: unknown; error?: { message: string; code: string } }
	| { type: 'shutdown'; reason: string };

export interface LineChannelOptions {
	stream: Duplex;
	onMessage(message: FromProgram): void;
	/** The program wrote what is no message; nothing is read any more. */
	onBroken(error: ShardctlError): void;
}

export class LineChannel {
	readonly #options: LineChannelOptions;
	#rest: Buffer[] = [];
	#restBytes = 0;
	#open = true;

	constructor(options: LineChannelOptions) {
		this.#options = options;
		const { stream } = options;
		stream.on(
			'data',
			guardListener(
				(chunk: Buffer) => this.#read(chunk),
				(error) => this.#break(`a message that could not be handled (${messageOf(error)})`),
			),
		);
		const over = () => {
			this.#open = false;
		};
		// The program may close its end, or be gone: its exit reports that.
		stream.on('error', over);
		stream.on('close', over);
	}

	/** Throws `CHANNEL_CLOSED`, `MESSAGE_TOO_LARGE`, `NOT_SERIALIZABLE`, or `CALL_LIMIT` where the program does not read. */
	send(message: ToProgram): void {
		const { stream } = this.#options;
		if (!this.#open) throw new ShardctlError('CHANNEL_CLOSED', 'the program has closed file descriptor 3');
		const line = `${encoded(message)}\n`;
		if (Buffer.byteLength(line) > maxLineBytes)
			throw new ShardctlError('MESSAGE_TOO_LARGE', `a message to a program may have ${maxLineBytes} bytes`);
		if (stream.writableLength > maxUnreadBytes)
			throw new ShardctlError('CALL_LIMIT', 'the program does not read file descriptor 3');
		stream.write(line);
	}

	close(): void {
		this.#open = false;
		this.#options.stream.destroy();
	}

	#read(chunk: Buffer): void {
		let from = 0;
		for (let end = chunk.indexOf(10); end >= 0 && this.#open; end = chunk.indexOf(10, from)) {
			const line = Buffer.concat([...this.#rest, chunk.subarray(from, end)]);
			[this.#rest, this.#restBytes] = [[], 0];
			from = end + 1;
			if (line.length > maxLineBytes) this.#break(`a line of more than ${maxLineBytes} bytes`);
			else if (line.length > 0) this.#take(line.toString('utf8'));
		}
		if (!this.#open || from >= chunk.length) return;
		this.#rest.push(chunk.subarray(from));
		this.#restBytes += chunk.length - from;
		if (this.#restBytes > maxLineBytes) this.#break(`a line of more than ${maxLineBytes} bytes`);
	}

	#take(line: string): void {
		let value: unknown;
		try {
			value = JSON.parse(line);
		} catch {
			this.#break('a line that is not JSON');
			return;
		}
		const read = fromProgram.safeParse(value);
		if (read.success) this.#options.onMessage(read.data);
		else this.#break(`a message of another form: ${z.prettifyError(read.error).replaceAll('\n', ' ')}`);
	}

	#break(what: string): void {
		this.close();
		this.#options.onBroken(
			new ShardctlError('PROTOCOL_ERROR', `the program wrote ${what} to file descriptor 3, which is closed now`),
		);
	}
}

function encoded(message: ToProgram): string {
	try {
		return JSON.stringify(message);
	} catch (cause) {
		throw new ShardctlError('NOT_SERIALIZABLE', `the message cannot be written as JSON: ${messageOf(cause)}`, { cause });
	}
}
