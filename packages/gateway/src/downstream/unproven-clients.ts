// The connections at the local gateway of which nothing shows yet that they are a worker's: there are only so many of them, each for a
// limited time. Node's own limits begin with `listen`, and this server is handed its connections.
import type { Socket } from 'node:net';
import type { Clock, Timer } from '@shardctl/core';

/** From the connection until a request with the path of a worker, or the token. */
const provenWithinMs = 30_000;

export interface UnprovenClientsOptions {
	clock: Clock;
	/** One more closes the oldest of them. */
	most: number;
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
		const { clock, most } = this.#options;
		const [oldest] = this.#sockets.keys();
		if (this.#sockets.size >= most && oldest) this.#close(oldest, `${most} other connections wait as well`);
		const timer = clock.setTimeout(
			() => this.#close(socket, `it did not show within ${provenWithinMs / 1000} s that it is a worker`),
			provenWithinMs,
		);
		this.#sockets.set(socket, timer);
		socket.once('close', () => this.prove(socket));
	}

	/** It is a worker's, or it is closed. */
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
		this.#options.onClosed(`closed a connection to the local gateway: ${why}`);
	}
}
