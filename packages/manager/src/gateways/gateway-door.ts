// The port at which workers find one gateway. The manager listens, and passes each connection on to the gateway process that lives
// now; while none does, connections wait. So the port outlives the process, and nobody is refused: eris gives a session up after
// ten refusals, which take it ten milliseconds, discord.py after one, and both would see the events since their last word again.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { PassedConnection } from '@shardctl/core';
import type { ChildChannel } from '@shardctl/supervisor';

/** Connections that wait for a process; one more is closed. */
const maxWaiting = 1000;

export class GatewayDoor {
	readonly #server: Server;
	/** Connections that no process has taken. Ours to close until one says that it has. */
	readonly #waiting = new Map<number, Socket>();
	#lastId = 0;
	#behind: ChildChannel | null = null;

	constructor() {
		this.#server = createServer({ pauseOnConnect: true }, (socket) => this.#welcome(socket));
	}

	/** 0 before it is open. */
	get port(): number {
		return (this.#server.address() as AddressInfo | null)?.port ?? 0;
	}

	open(): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#server.once('error', reject);
			this.#server.listen(0, '127.0.0.1', () => {
				this.#server.off('error', reject);
				resolve();
			});
		});
	}

	/** From now on connections go to this process, those that wait first. */
	leadTo(channel: ChildChannel): void {
		this.#behind = channel;
		channel.on('disconnect', () => {
			if (this.#behind === channel) this.hold();
		});
		for (const [id, socket] of this.#waiting) this.#pass(id, socket);
	}

	/** Connections wait for the next process; so do those that this one was sent and has not taken. */
	hold(): void {
		this.#behind = null;
	}

	/** The process has its own hold on this connection. */
	taken(id: number): void {
		this.#waiting.get(id)?.destroy();
		this.#waiting.delete(id);
	}

	close(): void {
		this.hold();
		for (const id of this.#waiting.keys()) this.taken(id);
		this.#server.close();
	}

	#welcome(socket: Socket): void {
		const id = ++this.#lastId;
		socket.on('error', () => this.taken(id));
		if (this.#waiting.size >= maxWaiting) {
			socket.destroy();
			return;
		}
		this.#waiting.set(id, socket);
		this.#pass(id, socket);
	}

	#pass(id: number, socket: Socket): void {
		const message: PassedConnection = { shardctlConnection: id };
		// What cannot be sent waits.
		this.#behind?.sendSocket(message, socket, () => {});
	}
}
