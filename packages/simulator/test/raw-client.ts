// A transparent gateway client: it sends what a test says and keeps what it receives. For tests of the protocol itself.
import { constants, createInflate, inflateSync } from 'node:zlib';
import { Decompress } from 'fzstd';
import { onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { createSimulator, type Simulator, type SimulatorOptions } from '../src/index.js';

export interface Frame {
	op: number;
	// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the server sends
	d: any;
	s: number | null;
	t: string | null;
}

export interface ConnectOptions {
	path?: string;
	query?: string;
}

/** A simulator for one test, stopped when it ends. */
export async function simulator(options: SimulatorOptions = {}): Promise<Simulator> {
	const sim = await createSimulator({ guilds: 4, ...options });
	onTestFinished(() => sim.stop());
	return sim;
}

export const guildsIntent = 1;
/** Every intent. */
export const everyIntent = 53_608_447;

export class RawClient {
	readonly frames: Frame[] = [];
	readonly closed: Promise<number>;
	/** How many messages were compressed, or otherwise not text. */
	binaryMessages = 0;
	readonly #sim: Simulator;
	readonly #socket: WebSocket;
	#read = 0;
	#wake: () => void = () => {};
	#closeCode: number | undefined;

	private constructor(sim: Simulator, socket: WebSocket, compress: string | null) {
		this.#sim = sim;
		this.#socket = socket;
		const decode = decoder(compress, (text) => {
			this.frames.push(JSON.parse(text) as Frame);
			this.#wake();
		});
		socket.on('message', (data, isBinary) => {
			if (isBinary) this.binaryMessages++;
			decode(data as Buffer, isBinary);
		});
		socket.on('error', () => {});
		this.closed = new Promise((resolve) => {
			socket.on('close', (code) => {
				this.#closeCode = code;
				this.#wake();
				resolve(code);
			});
		});
	}

	/** Connects; the promise does not wait for HELLO. */
	static async connect(sim: Simulator, { path = '', query = 'v=10&encoding=json' }: ConnectOptions = {}): Promise<RawClient> {
		const socket = new WebSocket(`ws://127.0.0.1:${sim.port}${path}/?${query}`);
		const client = new RawClient(sim, socket, new URLSearchParams(query).get('compress'));
		onTestFinished(() => socket.terminate());
		await new Promise((resolve, reject) => {
			socket.once('open', resolve);
			socket.once('error', reject);
		});
		return client;
	}

	/** The next frame of this op or event that was not read yet; earlier ones are skipped. */
	async next(what: number | string): Promise<Frame> {
		for (;;) {
			const found = this.frames.slice(this.#read).findIndex((frame) => frame.op === what || frame.t === what);
			if (found >= 0) {
				this.#read += found + 1;
				return this.frames[this.#read - 1] as Frame;
			}
			if (this.#closeCode !== undefined) throw new Error(`closed with ${this.#closeCode} instead of ${what}`);
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
	}

	send(op: number, d: unknown): void {
		this.sendRaw(JSON.stringify({ op, d }));
	}

	sendRaw(data: string | Buffer): void {
		this.#socket.send(data);
	}

	identify(fields: Record<string, unknown> = {}): void {
		this.send(2, {
			token: this.#sim.token,
			properties: { os: 'linux', browser: 'test', device: 'test' },
			intents: everyIntent,
			...fields,
		});
	}

	/** Identifies and waits for READY. */
	async ready(fields: Record<string, unknown> = {}): Promise<Frame> {
		this.identify(fields);
		return this.next('READY');
	}

	/** Identifies and waits until every guild has arrived. */
	async up(fields: Record<string, unknown> = {}): Promise<Frame> {
		const ready = await this.ready(fields);
		const wants = ((fields.intents as number | undefined) ?? everyIntent) & guildsIntent;
		for (const _ of wants ? ready.d.guilds : []) await this.nextOf('GUILD_CREATE', 'GUILD_DELETE');
		return ready;
	}

	async nextOf(...types: string[]): Promise<Frame> {
		for (;;) {
			const frame = this.frames.slice(this.#read).find(({ t }) => t !== null && types.includes(t));
			if (frame) return this.next(frame.t as string);
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
	}

	resume(sessionId: string, seq: number, fields: Record<string, unknown> = {}): void {
		this.send(6, { token: this.#sim.token, session_id: sessionId, seq, ...fields });
	}

	/** Everything that the server sent before this has arrived: a heartbeat was sent and acknowledged. */
	async settled(): Promise<void> {
		this.send(1, null);
		await this.next(11);
	}

	/** Types of the received events, or op codes. */
	types(): (string | number)[] {
		return this.frames.map(({ t, op }) => t ?? op);
	}

	/** Events of one type. */
	events(type: string): Frame[] {
		return this.frames.filter(({ t }) => t === type);
	}

	close(code?: number): Promise<number> {
		this.#socket.close(code);
		return this.closed;
	}

	terminate(): Promise<number> {
		this.#socket.terminate();
		return this.closed;
	}
}

/** Connects and waits until every guild has arrived. */
export async function connected(
	sim: Simulator,
	fields: Record<string, unknown> = {},
	options: ConnectOptions = {},
): Promise<RawClient> {
	const client = await RawClient.connect(sim, options);
	await client.up(fields);
	return client;
}

/** A call of the simulated REST API. */
export async function rest(
	sim: Simulator,
	path: string,
	{
		method = 'GET',
		body,
		token = sim.token,
		version = '/v10',
	}: { method?: string; body?: unknown; token?: string | null; version?: string } = {},
	// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the server answers
): Promise<{ status: number; headers: Headers; json: any; text: string }> {
	const response = await fetch(`${sim.url}${version}${path}`, {
		method,
		headers: {
			...(token !== null && { authorization: `Bot ${token}` }),
			...(body !== undefined && { 'content-type': 'application/json' }),
		},
		...(body !== undefined && { body: JSON.stringify(body) }),
	});
	const text = await response.text();
	const isJson = response.headers.get('content-type')?.includes('json');
	return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

type Decode = (data: Buffer, isBinary: boolean) => void;

function decoder(compress: string | null, onText: (text: string) => void): Decode {
	if (compress === 'zlib-stream') {
		const inflate = createInflate({ flush: constants.Z_SYNC_FLUSH, chunkSize: 8 * 1024 * 1024 });
		inflate.on('data', (data: Buffer) => onText(data.toString()));
		return (data) => inflate.write(data);
	}
	if (compress === 'zstd-stream') {
		let pieces: Uint8Array[] = [];
		const zstd = new Decompress((piece) => pieces.push(piece));
		return (data) => {
			pieces = [];
			zstd.push(new Uint8Array(data));
			onText(Buffer.concat(pieces).toString());
		};
	}
	return (data, isBinary) => onText((isBinary ? inflateSync(data) : data).toString());
}
