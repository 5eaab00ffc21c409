// A supervised child on a fake clock and a fake host, and the way into each of its states.
import { type FakeClock, fakeClock } from '@shardctl/test-support';
import type { ChildState, ExitReport, RestartPolicy, SupervisedChildOptions } from '../src/index.js';
import { SupervisedChild } from '../src/index.js';
import { FakeHost } from './fake-host.js';

export const policy: RestartPolicy = {
	initialDelayMs: 1000,
	maxDelayMs: 8000,
	factor: 2,
	maxRestarts: 2,
	windowMs: 600_000,
	stableAfterMs: 60_000,
	cooldownMs: 30_000,
};

/** A promise that the test settles. */
export interface Gate {
	promise: Promise<void>;
	open: () => void;
	refuse: (error: Error) => void;
}

export function gate(): Gate {
	const made: Gate = { promise: Promise.resolve(), open: () => {}, refuse: () => {} };
	made.promise = new Promise((resolve, reject) => {
		made.open = resolve;
		made.refuse = reject;
	});
	// A rejection without a handler is no fault of the machine.
	made.promise.catch(() => undefined);
	return made;
}

export interface Machine {
	child: SupervisedChild;
	clock: FakeClock;
	host: FakeHost;
	/** What happened, as words. */
	events: string[];
	closed: ExitReport[];
	/** The reason of each shutdown request. */
	asked: string[];
	/** Of each shutdown: whether it is final. */
	final: boolean[];
	/** Pings that wait for a response. */
	pings: Gate[];
	/** Pending results of `beforeSpawn`. */
	spawnGate: Gate | null;
	/** The signals passed to `beforeSpawn`. */
	spawnSignals: AbortSignal[];
}

export const pingIntervalMs = 5000;
export const pingTimeoutMs = 20_000;
export const readyTimeoutMs = 30_000;
export const graceMs = 10_000;
export const killAfterMs = 2000;

export function machine(options: Partial<SupervisedChildOptions> = {}): Machine {
	const clock = fakeClock();
	const host = new FakeHost();
	const made: Omit<Machine, 'child'> = {
		clock,
		host,
		events: [],
		closed: [],
		asked: [],
		final: [],
		pings: [],
		spawnGate: null,
		spawnSignals: [],
	};
	const child = new SupervisedChild({
		spec: { id: 'test', file: 'bot.js', env: {} },
		policy,
		clock,
		host,
		random: () => 0.5,
		readyTimeoutMs,
		shutdownGraceMs: graceMs,
		killAfterMs,
		heartbeat: { intervalMs: pingIntervalMs, timeoutMs: pingTimeoutMs },
		maxMemoryBytes: 100 * 2 ** 20,
		beforeSpawn: (signal) => {
			made.spawnSignals.push(signal);
			return made.spawnGate?.promise ?? Promise.resolve();
		},
		connect: () => ({
			ping: () => {
				const ping = gate();
				made.pings.push(ping);
				return ping.promise;
			},
			shutdown: (reason, { final }) => {
				made.asked.push(reason);
				made.final.push(final);
				return new Promise(() => {});
			},
			closed: (report) => {
				made.closed.push(report);
			},
		}),
		...options,
	});
	const note = (word: string) => made.events.push(word);
	child.on('state', ({ to }) => note(to));
	child.on('spawned', ({ pid, epoch }) => note(`spawned ${pid} as ${epoch}`));
	child.on('exited', ({ reason, epoch }) => note(`exited ${epoch}: ${reason}`));
	child.on('backoff', ({ delayMs }) => note(`backoff ${delayMs}`));
	child.on('failed', ({ reason, retryInMs }) => note(`failed (${reason}), retry in ${retryInMs}`));
	child.on('unresponsive', ({ silentForMs }) => note(`silent for ${silentForMs}`));
	child.on('memory', ({ over }) => note(over ? 'memory over' : 'memory near'));
	// Gates may be replaced while the machine runs, so the callbacks read the same object that is returned.
	return Object.assign(made, { child });
}

/** Brings a new machine into a state by the shortest regular path. */
export async function machineIn(state: ChildState, options: Partial<SupervisedChildOptions> = {}): Promise<Machine> {
	const made = machine(options);
	const { child, clock, host } = made;
	const settle = () => clock.advance(0);
	const run = async () => {
		child.start();
		await settle();
	};
	switch (state) {
		case 'planned':
			break;
		case 'spawning':
			made.spawnGate = gate();
			await run();
			break;
		case 'starting':
			await run();
			break;
		case 'ready':
			await run();
			child.markReady();
			break;
		case 'unresponsive':
			await run();
			child.markReady();
			made.pings[0]?.open();
			host.stack = new Promise(() => {});
			await clock.advance(pingIntervalMs + pingTimeoutMs + 1);
			break;
		case 'draining':
			await run();
			child.markReady();
			child.reportMemory(200 * 2 ** 20);
			break;
		case 'exited':
			await run();
			child.markReady();
			host.holdsGroups = true;
			host.current.exit(1);
			await settle();
			break;
		case 'backing-off':
			await run();
			host.current.exit(1);
			await clock.advance(0);
			await clock.advance(1);
			host.current.exit(1);
			await settle();
			break;
		case 'failed':
			await run();
			for (let restart = 0; restart <= policy.maxRestarts; restart++) {
				if (restart > 0) await clock.advance(policy.maxDelayMs);
				host.current.exit(1);
				await settle();
			}
			break;
		case 'stopped':
			await run();
			void child.stop();
			host.current.exit(0);
			await settle();
			break;
	}
	if (child.state !== state) throw new Error(`the way into ${state} led to ${child.state}: ${made.events.join(', ')}`);
	return made;
}
