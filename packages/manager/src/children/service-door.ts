// The port at which workers reach one service process. The manager listens, and passes each connection on to the present process; while
// there is none, connections wait. So the port outlives the process, and no connection is refused: eris gives a session up after ten
// refusals, which take it ten milliseconds, discord.py after one, and both would get the events since their last acknowledgement again.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { guardListener, type PassedConnection } from '@shardctl/core';
import type { ChildChannel } from '@shardctl/supervisor';

/** Connections that wait for a process; one more is closed. */
const maxWaiting = 1000;

export class ServiceDoor {
	readonly #server: Server;
	/** Connections that no process has acknowledged: the manager's to close until then. */
	readonly #waiting = new Map<number, Socket>();
	#lastId = 0;
	/** The channel of the present process; null while connections wait. */
	#target: ChildChannel | null = null;

	constructor() {
		this.#server = createServer(
			{ pauseOnConnect: true },
			guardListener(
				(socket: Socket) => this.#accept(socket),
				(_error, socket) => socket.destroy(),
			),
		);
	}

	/** 0 before it is open. */
	get port(): number {
		return (this.#server.address() as AddressInfo | null)?.port ?? 0;
	}

	/** Resolves when workers can connect, or when it was closed before. */
	open(): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#server.once('error', reject);
			// A server that is closed before it listens never says that it listens.
			this.#server.once('close', resolve);
			this.#server.listen(0, '127.0.0.1', () => {
				this.#server.off('error', reject);
				// A connection could not be accepted, such as for want of file descriptors: its client tries again.
				this.#server.on('error', () => {});
				resolve();
			});
		});
	}

	/** From now on connections go to this process, those that wait first. */
	forwardTo(channel: ChildChannel): void {
		this.#target = channel;
		channel.on('disconnect', () => {
			if (this.#target === channel) this.hold();
		});
		for (const [id, socket] of this.#waiting) this.#pass(id, socket);
	}

	/** Connections wait for the next process; so do those that this one was sent and has not acknowledged. */
	hold(): void {
		this.#target = null;
	}

	/** The process has this connection, so the manager's end is closed. */
	acknowledged(id: number): void {
		this.#waiting.get(id)?.destroy();
		this.#waiting.delete(id);
	}

	/** Closes what waits as well. */
	close(): void {
		this.hold();
		for (const id of this.#waiting.keys()) this.acknowledged(id);
		this.#server.close();
	}

	#accept(socket: Socket): void {
		const id = ++this.#lastId;
		socket.on('error', () => this.acknowledged(id));
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
		this.#target?.sendSocket(message, socket, () => {});
	}
}
