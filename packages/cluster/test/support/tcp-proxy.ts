// A network of our own between one node and Redis, whose faults a test sets: delay, loss in one direction or both, stalls, connections
// that look open and are not, resets.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'requests' | 'answers';

export interface NetworkFaults {
	/** Each piece of data arrives this much later, in order. */
	delayMs: number;
	/** What is sent in this direction never arrives; the connection stays open, as when a cable is out. */
	lose: readonly Direction[];
	/** Nothing arrives in this direction until the fault is over; then all of it does. */
	stall: readonly Direction[];
	/** New connections are refused. */
	refuse: boolean;
}

export interface TcpProxy {
	readonly port: number;
	readonly url: string;
	set(faults: Partial<NetworkFaults>): void;
	/** No fault. Connections that lost data stay as they are, so they are broken. */
	heal(): void;
	/** Breaks every open connection. */
	reset(): void;
	/** New connections lead to this port, and those that are open break. */
	retarget(port: number): void;
	/** Resolves when data that contains the text has arrived here, before any fault is applied to it. */
	seen(direction: Direction, text: string): Promise<void>;
	/** Resolves when data was lost. */
	lost(direction: Direction): Promise<void>;
	close(): Promise<void>;
}

const whole: NetworkFaults = { delayMs: 0, lose: [], stall: [], refuse: false };

interface Watcher {
	direction: Direction;
	sees(data: Buffer, isLost: boolean): boolean;
	resolve(): void;
}

export async function tcpProxy(firstTarget: number): Promise<TcpProxy> {
	let targetPort = firstTarget;
	let faults = whole;
	const pairs = new Set<Pair>();
	const watchers = new Set<Watcher>();
	const watch = (direction: Direction, sees: Watcher['sees']) =>
		new Promise<void>((resolve) => watchers.add({ direction, sees, resolve }));
	const onData = (direction: Direction, data: Buffer) => {
		for (const watcher of watchers) {
			if (watcher.direction !== direction || !watcher.sees(data, faults.lose.includes(direction))) continue;
			watchers.delete(watcher);
			watcher.resolve();
		}
	};
	const server: Server = createServer((near) => {
		if (faults.refuse) {
			near.destroy();
			return;
		}
		const pair = new Pair(near, connect(targetPort, '127.0.0.1'), () => faults, onData);
		pairs.add(pair);
		pair.onEnd(() => pairs.delete(pair));
	});
	await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	const apply = (next: NetworkFaults) => {
		faults = next;
		for (const pair of pairs) pair.flush();
	};
	return {
		port,
		url: `redis://127.0.0.1:${port}`,
		set: (changes) => apply({ ...faults, ...changes }),
		heal: () => {
			// A stream with a hole is no stream: the peers would read half a message.
			for (const pair of pairs) if (pair.hasLost) pair.reset();
			apply(whole);
		},
		reset: () => {
			for (const pair of pairs) pair.reset();
		},
		retarget: (next) => {
			targetPort = next;
			for (const pair of pairs) pair.reset();
		},
		seen: (direction, text) => watch(direction, (data) => data.includes(text)),
		lost: (direction) => watch(direction, (_, isLost) => isLost),
		close: async () => {
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			for (const pair of pairs) pair.reset();
			await closed;
		},
	};
}

/** One connection through the proxy. */
class Pair {
	hasLost = false;
	readonly #near: Socket;
	readonly #far: Socket;
	readonly #faults: () => NetworkFaults;
	readonly #waiting: Record<Direction, { data: Buffer; at: number }[]> = { requests: [], answers: [] };
	readonly #timers = new Set<NodeJS.Timeout>();
	#ended: (() => void) | undefined;

	constructor(near: Socket, far: Socket, faults: () => NetworkFaults, onData: (direction: Direction, data: Buffer) => void) {
		this.#near = near;
		this.#far = far;
		this.#faults = faults;
		for (const [from, direction] of [
			[near, 'requests'],
			[far, 'answers'],
		] as const) {
			from.setNoDelay(true);
			from.on('data', (data) => {
				onData(direction, data);
				this.#arrived(direction, data);
			});
			from.on('error', () => {});
			from.on('close', () => this.reset());
		}
	}

	onEnd(listener: () => void): void {
		this.#ended = listener;
	}

	flush(): void {
		this.#deliver('requests');
		this.#deliver('answers');
	}

	reset(): void {
		for (const timer of this.#timers) clearTimeout(timer);
		this.#timers.clear();
		for (const socket of [this.#near, this.#far]) {
			// A reset of a socket that is being shut down fails in Node, and the socket stays open.
			if (socket.readableEnded || socket.writableEnded) socket.destroy();
			else socket.resetAndDestroy();
		}
		this.#ended?.();
	}

	#arrived(direction: Direction, data: Buffer): void {
		const { lose, delayMs } = this.#faults();
		if (lose.includes(direction)) {
			this.hasLost = true;
			return;
		}
		this.#waiting[direction].push({ data, at: performance.now() + delayMs });
		if (delayMs === 0) this.#deliver(direction);
		else this.#later(direction, delayMs);
	}

	#later(direction: Direction, delayMs: number): void {
		const timer = setTimeout(() => {
			this.#timers.delete(timer);
			this.#deliver(direction);
		}, delayMs);
		this.#timers.add(timer);
	}

	#deliver(direction: Direction): void {
		if (this.#faults().stall.includes(direction)) return;
		const queue = this.#waiting[direction];
		const to = direction === 'requests' ? this.#far : this.#near;
		while (queue[0]) {
			const left = queue[0].at - performance.now();
			if (left > 0) {
				this.#later(direction, left);
				return;
			}
			const { data } = queue.shift() as { data: Buffer };
			if (to.writable) to.write(data);
		}
	}
}
