// Sends one request to Discord, and returns the answer as Discord gave it: no redirect is followed, nothing is decoded.
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { bodyTooLarge, type RequestBody } from './request-body.js';

/** How long Discord may send nothing: longer than Cloudflare, which is in front of it and gives up after 100 s. */
const idleMs = 120_000;
/** Those that change nothing are sent once more where Discord had closed the connection before it had the request. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** The connection ended, or was silent for too long, after Discord may have had the request. */
export const brokenOff = new Error('Discord has closed the connection');

/** Discord did not have the request, or not all of it: what the worker is answered instead. */
export class NoAnswer extends Error {
	readonly status: number;

	constructor(status: number, message: string) {
		super(message);
		this.status = status;
	}
}

export interface DiscordRequest {
	target: URL;
	method: string;
	/** Without those of the hop. */
	headers: IncomingHttpHeaders;
	body: RequestBody;
	signal: AbortSignal;
}

export class DiscordClient {
	readonly #isTls: boolean;
	readonly #agent: HttpAgent | HttpsAgent;

	/** @param api Base URL of Discord's REST API. */
	constructor(api: URL) {
		this.#isTls = api.protocol === 'https:';
		const options = { keepAlive: true, timeout: idleMs };
		this.#agent = this.#isTls ? new HttpsAgent(options) : new HttpAgent(options);
	}

	/** Resolves at the head of the answer. Rejects with {@link NoAnswer}, {@link brokenOff} or the signal's reason. */
	async send(request: DiscordRequest): Promise<IncomingMessage> {
		const first = await this.#try(request);
		if (first !== 'closed before') return first;
		const second = await this.#try(request);
		if (second !== 'closed before') return second;
		throw brokenOff;
	}

	/** Closes the connections. */
	stop(): void {
		this.#agent.destroy();
	}

	#try({ target, method, headers, body, signal }: DiscordRequest): Promise<IncomingMessage | 'closed before'> {
		return new Promise((resolve, reject) => {
			signal.throwIfAborted();
			const { 'content-length': _length, ...others } = headers;
			const send = this.#isTls ? httpsRequest : httpRequest;
			const options = { method, headers: { ...others, ...body.headers }, agent: this.#agent, timeout: idleMs };
			const onward = send(target, options, (answer) => {
				// It is read later, and may break off before.
				answer.on('error', () => {});
				resolve(answer);
			});
			let connected = false;
			onward.on('socket', (socket) => {
				// One that was used before is there already.
				connected = onward.reusedSocket;
				if (connected) return;
				socket.once(this.#isTls ? 'secureConnect' : 'connect', () => {
					connected = true;
				});
			});
			const fail = (error: unknown) => {
				reject(error);
				onward.destroy();
			};
			const onAbort = () => fail(signal.reason);
			signal.addEventListener('abort', onAbort, { once: true });
			onward.on('close', () => signal.removeEventListener('abort', onAbort));
			onward.on('timeout', () => fail(connected ? brokenOff : cannotBeReached()));
			onward.on('error', (error: NodeJS.ErrnoException) => {
				if (onward.reusedSocket && error.code === 'ECONNRESET' && safeMethods.has(method)) resolve('closed before');
				else reject(connected ? brokenOff : cannotBeReached());
			});
			body.sendTo(onward, (error) =>
				fail(error === bodyTooLarge ? new NoAnswer(413, error.message) : new NoAnswer(502, 'the body could not be forwarded')),
			);
		});
	}
}

function cannotBeReached(): NoAnswer {
	return new NoAnswer(502, 'Discord cannot be reached');
}
