// Processes that hold sessions for nothing, each behind a network of its own, and the judge of what they did.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@shardctl/test-support';
import { type TcpProxy, tcpProxy } from './tcp-proxy.js';

const program = fileURLToPath(new URL('../fixtures/fake-holder.mjs', import.meta.url));

interface Act {
	holder: string;
	session: number;
	epoch: number;
	/** µs of the machine's monotonic clock. */
	at: number;
}

export interface Holder {
	readonly name: string;
	readonly network: TcpProxy;
	kill(signal: NodeJS.Signals): void;
	/** Ends in good order. */
	stop(): Promise<void>;
}

export class Holders {
	readonly #redisPort: number;
	readonly #config: { app: string; sessions: number; leaseMs: number };
	readonly #children = new Map<string, { child: ChildProcess; network: TcpProxy }>();
	readonly #acts: Act[] = [];

	constructor(redisPort: number, config: { app: string; sessions: number; leaseMs: number }) {
		this.#redisPort = redisPort;
		this.#config = config;
	}

	/** Microseconds on the clock of the acts. */
	static now(): number {
		return Number(process.hrtime.bigint() / 1000n);
	}

	async start(name: string): Promise<Holder> {
		const network = await tcpProxy(this.#redisPort);
		const child = spawn(process.execPath, [program, JSON.stringify({ ...this.#config, url: network.url, name })], {
			stdio: ['pipe', 'pipe', 'inherit'],
		});
		this.#children.set(name, { child, network });
		createInterface({ input: child.stdout }).on('line', (line) => {
			for (const [session, epoch, at] of JSON.parse(line) as [number, number, number][]) {
				this.#acts.push({ holder: name, session, epoch, at });
			}
		});
		const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
		return {
			name,
			network,
			kill: (signal) => {
				child.kill(signal);
			},
			stop: async () => {
				child.kill('SIGCONT');
				child.stdin.write('stop\n');
				await ended;
			},
		};
	}

	/** Resolves when each session is acted for after `since`, and returns who acts. */
	async acting(since: number, but: readonly string[] = []): Promise<string[]> {
		return waitFor('every session to be acted for', () => {
			const owners = this.owners(since, but);
			return owners.every((owner) => owner !== undefined) ? (owners as string[]) : undefined;
		});
	}

	/** Who acted last for each session, after `since`. */
	owners(since: number, but: readonly string[] = []): (string | undefined)[] {
		const owners: (string | undefined)[] = Array.from({ length: this.#config.sessions }, () => undefined);
		for (const { session, at, holder } of this.#acts) if (at > since && !but.includes(holder)) owners[session] = holder;
		return owners;
	}

	/** Acts of one holder after a moment. */
	actsOf(name: string, since: number, sessions?: readonly number[]): number {
		return this.#acts.filter(
			({ holder, at, session }) => holder === name && at > since && (!sessions || sessions.includes(session)),
		).length;
	}

	/** I1: no session was acted for under an older epoch after it was under a newer one of another holder. */
	overlaps(): string[] {
		const found: string[] = [];
		for (let session = 0; session < this.#config.sessions; session++) {
			const stretches = new Map<string, { holder: string; epoch: number; first: number; last: number }>();
			for (const { holder, epoch, at } of this.#acts.filter((act) => act.session === session)) {
				const key = `${holder} ${epoch}`;
				const stretch = stretches.get(key) ?? { holder, epoch, first: at, last: at };
				stretch.first = Math.min(stretch.first, at);
				stretch.last = Math.max(stretch.last, at);
				stretches.set(key, stretch);
			}
			const list = [...stretches.values()].sort((a, b) => a.epoch - b.epoch);
			for (const [index, later] of list.entries()) {
				for (const earlier of list.slice(0, index)) {
					if (earlier.holder === later.holder || earlier.last < later.first) continue;
					found.push(
						`session ${session}: ${earlier.holder} with epoch ${earlier.epoch} acted ${earlier.last - later.first} µs ` +
							`after ${later.holder} with ${later.epoch} had begun`,
					);
				}
			}
		}
		return found;
	}

	async close(): Promise<void> {
		for (const { child, network } of this.#children.values()) {
			if (child.exitCode === null && child.signalCode === null) {
				const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
				child.kill('SIGKILL');
				await ended;
			}
			await network.close();
		}
	}
}
