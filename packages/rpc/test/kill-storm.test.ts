// Ten thousand calls in flight against eight processes, one of which is killed every 200 ms and replaced: every call settles,
// with a value or with a code, the tables end empty, and memory returns to where it was.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { ipcPort } from '../src/ipc-port.js';
import { Peer } from '../src/peer.js';

interface FarMethods {
	echo: { params: unknown; result: unknown };
	later: { params: unknown; result: unknown };
	large: { params: number; result: string };
	throw: { params: string; result: never };
	wait: { params: null; result: null };
}
type NearPeer = Peer<Record<never, never>, FarMethods>;

const workers = 8;
const lanes = 10_000;
const killEveryMs = 200;
const kills = 20;
const fixture = fileURLToPath(new URL('./fixtures/far-side-child.mjs', import.meta.url));

/** One slot of the fleet: a process, and after its death the next one, each with a peer of its own epoch. */
class Slot {
	#epoch = 0;
	#stopped = false;
	#child!: ChildProcess;
	peer!: NearPeer;
	/** What peers of dead processes still held when they were closed; must stay 0. */
	leftBehind = 0;

	constructor() {
		this.#start();
	}

	#start(): void {
		const child = fork(fixture, [String(++this.#epoch)], { execArgv: [] });
		const peer: NearPeer = new Peer({ port: ipcPort(child), epoch: this.#epoch });
		this.#child = child;
		this.peer = peer;
		child.once('exit', () => {
			peer.close();
			this.leftBehind += peer.pendingCount + peer.runningCount;
			if (!this.#stopped) this.#start();
		});
	}

	get deaths(): number {
		return this.#epoch - 1;
	}

	kill(): void {
		this.#child.kill('SIGKILL');
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		const exited = once(this.#child, 'exit');
		this.kill();
		await exited;
	}
}

/** Calls of every kind: answered at once, later, with large data, with an error, never (deadline), and cancelled. */
const kinds: ((peer: NearPeer, n: number) => Promise<unknown>)[] = [
	async (peer, n) => expectSame(await peer.request('echo', { n, big: BigInt(n) }), { n, big: BigInt(n) }),
	async (peer, n) => expectSame(await peer.request('later', [n]), [n]),
	async (peer, n) => expectSame((await peer.request('large', 1000 + (n % 5000))).length, 1000 + (n % 5000)),
	(peer) => peer.request('throw', 'error'),
	(peer, n) => peer.request('wait', null, { timeoutMs: 50 + (n % 400) }),
	(peer, n) => peer.request('wait', null, { signal: AbortSignal.timeout(50 + (n % 400)) }),
];

function expectSame(actual: unknown, expected: unknown): void {
	expect(actual).toEqual(expected);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function heapBytes(): Promise<number> {
	// Closed children and promise chains release their memory in the ticks after their end.
	for (let i = 0; i < 5; i++) {
		await new Promise((resolve) => setImmediate(resolve));
		collectGarbage();
	}
	return process.memoryUsage().heapUsed;
}

/** Keeps all lanes busy while processes are killed; resolves when every lane's last call has settled. */
async function storm(
	slots: Slot[],
	killCount: number,
): Promise<{ outcomes: Map<string, number>; started: number; peak: number }> {
	const outcomes = new Map<string, number>();
	let started = 0;
	let peak = 0;
	let over = false;
	const lane = async (n: number): Promise<void> => {
		for (let call = n; !over; call += 7) {
			started++;
			const peer = (slots[call % workers] as Slot).peer;
			const kind = kinds[call % kinds.length] as (typeof kinds)[number];
			const outcome = await kind(peer, call).then(
				() => 'ok',
				(error: { code?: unknown }) => String(error.code ?? error),
			);
			outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
			// A call to a process that has just died fails at once; without this turn the lane would block the event loop.
			if (outcome === 'CHANNEL_CLOSED') await new Promise((resolve) => setImmediate(resolve));
		}
	};
	const running = Array.from({ length: lanes }, (_, n) => lane(n));
	for (let kill = 0; kill < killCount; kill++) {
		await new Promise((resolve) => setTimeout(resolve, killEveryMs));
		peak = Math.max(
			peak,
			slots.reduce((sum, { peer }) => sum + peer.pendingCount, 0),
		);
		slots[kill % workers]?.kill();
	}
	over = true;
	await Promise.all(running);
	return { outcomes, started, peak };
}

it('settles every one of ten thousand calls in flight while a process is killed every 200 ms, and releases all memory', async () => {
	const slots = Array.from({ length: workers }, () => new Slot());
	try {
		// A short run first: it leaves compiled code and caches, and is the base to compare with.
		await storm(slots, 4);
		const base = await heapBytes();
		const { outcomes, started, peak } = await storm(slots, kills);
		const settled = [...outcomes.values()].reduce((sum, count) => sum + count, 0);

		expect(settled).toBe(started);
		expect([...outcomes.keys()].sort()).toEqual(['10004', 'CALL_CANCELLED', 'CALL_TIMEOUT', 'CHANNEL_CLOSED', 'ok']);
		expect(peak).toBeGreaterThan(lanes / 2);
		expect(slots.reduce((sum, { deaths }) => sum + deaths, 0)).toBeGreaterThanOrEqual(kills);

		const alive = await Promise.all(slots.map(({ peer }, n) => peer.request('echo', n)));
		expect(alive).toEqual(slots.map((_, n) => n));
		expect(slots.map(({ peer, leftBehind }) => peer.pendingCount + leftBehind)).toEqual(slots.map(() => 0));
		expect(((await heapBytes()) - base) / 2 ** 20).toBeLessThan(8);
	} finally {
		await Promise.all(slots.map((slot) => slot.stop()));
	}
});
