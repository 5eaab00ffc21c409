// Processes that hold sessions for nothing, each behind a network of its own, and the judge of what they did.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { identifyWindowMs } from '@shardctl/core';
import { waitFor } from '@shardctl/test-support';
import { type TcpProxy, tcpProxy } from './tcp-proxy.js';

const program = fileURLToPath(new URL('../fixtures/fake-holder.mjs', import.meta.url));

/** A holder that acted for a session under an epoch. Times are µs of the machine's monotonic clock. */
interface Stretch {
	holder: string;
	epoch: number;
	first: number;
	last: number;
}

type EventKind = 'own' | 'disown' | 'muted' | 'unmuted' | 'identify';

interface Report {
	at: number;
	acts: [session: number, epoch: number, first: number, last: number][];
	events: [kind: EventKind, session: number | null, at: number][];
}

export interface HoldersOptions {
	app: string;
	sessions: number;
	leaseMs: number;
	/** Rate limit keys of IDENTIFY (default 3). */
	maxConcurrency?: number;
	/** How many of the sessions that have a record are identified all the same (default 0). */
	identifyShare?: number;
}

export interface Holder {
	readonly name: string;
	readonly network: TcpProxy;
	kill(signal: NodeJS.Signals): void;
	/** Ends in good order. */
	stop(): Promise<void>;
}

/** Stretches of a session that are kept: only late ones can still overlap. */
const mostStretches = 40;

export class Holders {
	readonly identifies: { session: number; at: number }[] = [];
	/** I1: a session that was acted for under an older epoch after it was under a newer one of another holder. */
	readonly overlaps: string[] = [];
	readonly #redisPort: number;
	readonly #config: Required<HoldersOptions>;
	readonly #children = new Map<string, { child: ChildProcess; network: TcpProxy }>();
	readonly #stretches: Stretch[][];
	readonly #reported = new Map<string, number>();
	readonly #events: { holder: string; kind: EventKind; session: number | null; at: number }[] = [];

	constructor(redisPort: number, options: HoldersOptions) {
		this.#redisPort = redisPort;
		this.#config = { maxConcurrency: 3, identifyShare: 0, ...options };
		this.#stretches = Array.from({ length: options.sessions }, () => []);
	}

	/** Microseconds on the clock of the acts. */
	static now(): number {
		return Number(process.hrtime.bigint() / 1000n);
	}

	/** Resolves when the node has joined. */
	async start(name: string): Promise<Holder> {
		const network = await tcpProxy(this.#redisPort);
		const child = spawn(process.execPath, [program, JSON.stringify({ ...this.#config, url: network.url, name })], {
			stdio: ['pipe', 'pipe', 'inherit'],
		});
		this.#children.set(name, { child, network });
		createInterface({ input: child.stdout }).on('line', (line) => this.#hear(name, JSON.parse(line) as Report));
		const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
		await waitFor(`${name} to join`, () => this.#reported.has(name));
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

	/** Resolves when each session is acted for after `since`, and returns which holder acts. */
	async acting(since: number, but: readonly string[] = []): Promise<string[]> {
		return waitFor('every session to be acted for', () => {
			const owners = this.owners(since, but);
			return owners.every((owner) => owner !== undefined) ? (owners as string[]) : undefined;
		});
	}

	/** The holder that acted last for each session, after `since`. */
	owners(since: number, but: readonly string[] = []): (string | undefined)[] {
		return this.#stretches.map((stretches) => {
			let latest: Stretch | undefined;
			for (const stretch of stretches) {
				if (stretch.last <= since || but.includes(stretch.holder)) continue;
				if (!latest || stretch.last > latest.last) latest = stretch;
			}
			return latest?.holder;
		});
	}

	/** The last time at which a holder acted for one of the sessions; 0 where it never did. */
	lastActOf(name: string, sessions: readonly number[]): number {
		const acts = sessions.flatMap((session) => this.#stretches[session] ?? []).filter(({ holder }) => holder === name);
		return Math.max(0, ...acts.map(({ last }) => last));
	}

	/** Resolves when each of these holders has reported what it did up to `at`. */
	async reported(at: number, names: readonly string[]): Promise<void> {
		await waitFor('reports of the holders', () => names.every((name) => (this.#reported.get(name) ?? 0) >= at));
	}

	/** Resolves when the holder has noted this after `since`, for each of the sessions if any are given. */
	async noted(name: string, kind: EventKind, since: number, sessions: readonly (number | null)[] = [null]): Promise<void> {
		await waitFor(`${name} to report "${kind}"`, () =>
			sessions.every((session) =>
				this.#events.some(
					(event) => event.holder === name && event.kind === kind && event.at > since && event.session === session,
				),
			),
		);
	}

	/** I5: IDENTIFYs of one rate limit key that were sent within one window. */
	identifyViolations(): string[] {
		const found: string[] = [];
		const last = new Map<number, { session: number; at: number }>();
		for (const identify of [...this.identifies].sort((a, b) => a.at - b.at)) {
			const key = identify.session % this.#config.maxConcurrency;
			const before = last.get(key);
			if (before && identify.at - before.at < identifyWindowMs * 1000) {
				found.push(`sessions ${before.session} and ${identify.session} were identified ${identify.at - before.at} µs apart`);
			}
			last.set(key, identify);
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

	#hear(holder: string, { at, acts, events }: Report): void {
		for (const [session, epoch, first, last] of acts) this.#act(session, { holder, epoch, first, last });
		for (const [kind, session, when] of events) {
			if (kind === 'identify') this.identifies.push({ session: session as number, at: when });
			this.#events.push({ holder, kind, session, at: when });
		}
		this.#events.splice(0, this.#events.length - 1000);
		this.#reported.set(holder, at);
	}

	#act(session: number, act: Stretch): void {
		const stretches = this.#stretches[session] as Stretch[];
		for (const other of stretches) {
			if (other.holder === act.holder || other.epoch === act.epoch) continue;
			const [earlier, later] = other.epoch < act.epoch ? [other, act] : [act, other];
			if (earlier.last < later.first) continue;
			this.overlaps.push(
				`session ${session}: ${earlier.holder} with epoch ${earlier.epoch} acted ${earlier.last - later.first} µs ` +
					`after ${later.holder} with ${later.epoch} had begun`,
			);
		}
		const same = stretches.find(({ holder, epoch }) => holder === act.holder && epoch === act.epoch);
		if (same) same.last = act.last;
		else stretches.push(act);
		stretches.splice(0, stretches.length - mostStretches);
	}
}
