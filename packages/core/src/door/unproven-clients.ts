// The connections at a server of which nothing shows yet that they may be there: there are only so many of them, each for a limited time.
// So a client that connects and is silent, or sends its request byte by byte, takes nothing from the others.
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.js';

export interface UnprovenClientsOptions {
	clock: Clock;
	/** One more closes the oldest of them. A function is asked at each connection. */
	most: number | (() => number);
	/** From the connection until it is proven. */
	withinMs: number;
	/** What a connection did not do in that time: `did not show that it is a worker`. */
	failing: string;
	/** A connection was closed. */
	onClosed(why: string): void;
}

export class UnprovenClients {
	readonly #options: UnprovenClientsOptions;
	/** Oldest first. */
	readonly #sockets = new Map<Socket, Timer>();

	constructor(options: UnprovenClientsOptions) {
		this.#options = options;
	}

	get size(): number {
		return this.#sockets.size;
	}

	/** A connection begins. */
	add(socket: Socket): void {
		const { clock, withinMs, failing } = this.#options;
		const most = typeof this.#options.most === 'function' ? this.#options.most() : this.#options.most;
		const [oldest] = this.#sockets.keys();
		if (this.#sockets.size >= most && oldest) this.#close(oldest, `it ${failing}, and ${most} newer ones wait as well`);
		const timer = clock.setTimeout(() => this.#close(socket, `it ${failing} within ${withinMs / 1000} s`), withinMs);
		this.#sockets.set(socket, timer);
		socket.once('close', () => this.prove(socket));
	}

	/** It may be there, or it is closed. */
	prove(socket: Socket): void {
		this.#options.clock.clearTimeout(this.#sockets.get(socket));
		this.#sockets.delete(socket);
	}

	/** Closes all of them. */
	stop(): void {
		for (const socket of this.#sockets.keys()) {
			this.prove(socket);
			socket.destroy();
		}
	}

	#close(socket: Socket, why: string): void {
		this.prove(socket);
		socket.destroy();
		this.#options.onClosed(why);
	}
}
