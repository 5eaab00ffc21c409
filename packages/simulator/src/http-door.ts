// The one HTTP server of a simulator: admits requests, routes them to REST, the control API or the gateway, and knows the names
// under which clients reach it. No request and no upgrade can end the process.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
	type Clock,
	guardListener,
	parseRequestTarget,
	RefusalNotices,
	type RequestTarget,
	ShardctlError,
	UnprovenClients,
} from '@shardctl/core';
import type { Admission } from './admission.js';
import { isDiscordName } from './discord-names.js';
import { RestError } from './rest/answer.js';
import { send } from './rest/rest-handler.js';

interface Part {
	handle(request: IncomingMessage, response: ServerResponse, target: RequestTarget): Promise<void>;
}

export interface HttpDoorOptions {
	clock: Clock;
	host: string;
	port: number;
	allowRemote: boolean;
	admission: Admission;
	rest: Part;
	control: Part;
	upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
	/** Connections were closed because they asked for nothing; at most one report in ten seconds. */
	onClosed(detail: string): void;
}

/** Connections without a request so far, and how long each of them may take. */
const unproven = { most: 10_000, withinMs: 30_000 };
const limits = { keepAliveTimeout: 60_000, headersTimeout: 30_000, requestTimeout: 60_000, connectionsCheckingInterval: 10_000 };

const badRequest = new RestError(400, 0, 'the request target is not a path');
const statusTexts: Readonly<Record<number, string>> = { 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found' };

export class HttpDoor {
	readonly #options: HttpDoorOptions;
	readonly #server: Server;
	readonly #closings: RefusalNotices;
	readonly #unproven: UnprovenClients;

	constructor(options: HttpDoorOptions) {
		const { clock } = options;
		this.#options = options;
		this.#closings = new RefusalNotices(clock, options.onClosed);
		this.#unproven = new UnprovenClients({
			clock,
			...unproven,
			failing: 'sent no request',
			onClosed: (why) => this.#closings.note(`closed a connection: ${why}`),
		});
		this.#server = createServer(
			limits,
			guardListener(
				(request: IncomingMessage, response: ServerResponse) => {
					response.on('error', () => {});
					return this.#handle(request, response);
				},
				(error, _request, response) => {
					// A client that hangs up midway is no failure of ours, and gets no answer.
					send(response, { status: 500, body: { message: `the simulator failed: ${String(error)}`, code: 0 } });
				},
			),
		);
		this.#server.on(
			'connection',
			guardListener(
				(socket: Socket) => this.#unproven.add(socket),
				(_error, socket) => socket.destroy(),
			),
		);
		this.#server.on(
			'upgrade',
			guardListener(
				(request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head),
				(_error, _request, socket) => refuse(socket, 400),
			),
		);
	}

	/** 0 before it listens. */
	get port(): number {
		return (this.#server.address() as AddressInfo | null)?.port ?? 0;
	}

	/** `host:port`, as a client on this machine reaches it. */
	get address(): string {
		const { host } = this.#options;
		const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
		return `${name.includes(':') ? `[${name}]` : name}:${this.port}`;
	}

	/** The address to give to a client that sent this Host: on loopback our own, else the one that it used. */
	addressFor(hostHeader: string): string {
		const isName = this.#options.allowRemote && hostHeader !== '' && !isDiscordName(hostHeader);
		return isName ? hostHeader : this.address;
	}

	/** @throws {ShardctlError} `ADDRESS_IN_USE` when the port is taken or the address cannot be bound. */
	listen(): Promise<void> {
		const { port, host } = this.#options;
		return new Promise((resolve, reject) => {
			this.#server.once('error', (error: NodeJS.ErrnoException) => {
				const message =
					error.code === 'EADDRINUSE'
						? `port ${port} of ${host} is already in use; choose another, or 0 for any free one`
						: `cannot listen on ${host}:${port}: ${error.message}`;
				reject(new ShardctlError('ADDRESS_IN_USE', message, { cause: error, details: { host, port } }));
			});
			this.#server.listen(port, host, () => {
				// From now on: a connection could not be accepted, such as for want of file descriptors. Its client tries again.
				this.#server.on('error', () => {});
				resolve();
			});
		});
	}

	async close(): Promise<void> {
		this.#unproven.stop();
		this.#closings.stop();
		if (!this.#server.listening) return;
		const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		this.#server.closeAllConnections();
		await closed;
	}

	async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const { admission, control, rest } = this.#options;
		const target = parseRequestTarget(request.url);
		const isControl = target !== undefined && /^\/simulator(\/|$)/.test(target.path);
		const refusal = admission.refusal(request) ?? (isControl ? admission.controlRefusal(request) : undefined);
		if (!refusal) this.#unproven.prove(request.socket);
		if (refusal) send(response, refusal.answer);
		else if (!target) send(response, badRequest.answer);
		else await (isControl ? control : rest).handle(request, response, target);
	}

	#upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
		// The socket may fail before a WebSocket takes it over.
		socket.on('error', () => socket.destroy());
		const path = parseRequestTarget(request.url)?.path.replace(/\/+$/, '');
		if (this.#options.admission.refusal(request)) refuse(socket, 403);
		else if (path === undefined) refuse(socket, 400);
		else if (path === '' || path === '/resume') {
			this.#unproven.prove(request.socket);
			this.#options.upgrade(request, socket, head);
		} else refuse(socket, 404);
	}
}

function refuse(socket: Duplex, status: 400 | 403 | 404): void {
	socket.end(`HTTP/1.1 ${status} ${statusTexts[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
