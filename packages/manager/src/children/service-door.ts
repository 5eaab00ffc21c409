// The port at which workers reach one service process. The manager listens, and passes each connection on to the present process; while
// there is none, connections wait. So the port outlives the process, and no connection is refused: eris gives a session up after ten
// refusals, which take it ten milliseconds, discord.py after one, and both would get the events since their last acknowledgement again.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Clock, guardListener, type PassedConnection, RefusalNotices, type Timer } from '@shardctl/core';
import type { ChildChannel } from '@shardctl/supervisor';

/** Connections that wait for a process; one more closes the oldest, whose client is the likeliest to have given up. */
const maxWaiting = 1000;
/** How long one waits. Every library has given up before. */
const maxWaitMs = 300_000;

export interface ServiceDoorOptions {
	clock: Clock;
	/** Connections were closed because no process took them; at most one report in ten seconds. */
	onClosed(message: string): void;
}

export class ServiceDoor {
	readonly #server: Server;
	readonly #clock: Clock;
	readonly #closings: RefusalNotices;
	/** Connections that no process has acknowledged, oldest first: the manager's to close until then. */
	readonly #waiting = new Map<number, { socket: Socket; timer: Timer }>();
	#lastId = 0;
	/** The channel of the present process; null while connections wait. */
	#target: ChildChannel | null = null;

	constructor({ clock, onClosed }: ServiceDoorOptions) {
		this.#clock = clock;
		this.#closings = new RefusalNotices(clock, onClosed);
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
		for (const [id, { socket }] of this.#waiting) this.#pass(id, socket);
	}

	/** Connections wait for the next process; so do those that this one was sent and has not acknowledged. */
	hold(): void {
		this.#target = null;
	}

	/** The process has this connection, so the manager's end is closed. */
	acknowledged(id: number): void {
		const waiting = this.#waiting.get(id);
		if (!waiting) return;
		this.#waiting.delete(id);
		this.#clock.clearTimeout(waiting.timer);
		waiting.socket.destroy();
	}

	/** Closes what waits as well. */
	close(): void {
		this.hold();
		for (const id of this.#waiting.keys()) this.acknowledged(id);
		this.#closings.stop();
		this.#server.close();
	}

	#accept(socket: Socket): void {
		const id = ++this.#lastId;
		socket.on('error', () => this.acknowledged(id));
		const [oldest] = this.#waiting.keys();
		if (this.#waiting.size >= maxWaiting && oldest !== undefined) this.#giveUp(oldest, `${maxWaiting} newer ones wait as well`);
		const timer = this.#clock.setTimeout(() => this.#giveUp(id, `none was there for ${maxWaitMs / 1000} s`), maxWaitMs);
		this.#waiting.set(id, { socket, timer });
		this.#pass(id, socket);
	}

	#giveUp(id: number, why: string): void {
		this.acknowledged(id);
		this.#closings.note(`closed a connection that waited for the process: ${why}`);
	}

	#pass(id: number, socket: Socket): void {
		const message: PassedConnection = { shardctlConnection: id };
		// What cannot be sent waits.
		this.#target?.sendSocket(message, socket, () => {});
	}
}
