// The machine, one scenario per test, on a fake clock and a fake host. The tests with real processes are in test/.
import { describe, expect, it, vi } from 'vitest';
import {
	gate,
	graceMs,
	killAfterMs,
	type Machine,
	machine,
	machineIn,
	pingIntervalMs,
	pingTimeoutMs,
	policy,
	readyTimeoutMs,
} from '../test/machine.js';
import type { ChildState } from './child-state.js';
import type { SupervisedChild } from './supervised-child.js';

const withProcess: ChildState[] = ['starting', 'ready', 'unresponsive', 'draining'];

describe('starting', () => {
	it('forks after beforeSpawn, connects, and reports it', async () => {
		const { child, clock, host, events } = machine();
		child.start();
		await clock.advance(0);
		expect(events).toEqual(['spawning', 'starting', 'spawned 1000 as 1']);
		expect({ pid: child.pid, epoch: child.epoch, restarts: child.restarts, startedAt: child.startedAt }).toEqual({
			pid: 1000,
			epoch: 1,
			restarts: 0,
			startedAt: clock.now(),
		});
		expect(host.specs).toEqual([{ id: 'test', file: 'bot.js', env: {} }]);
		await end({ child, clock, host });
	});

	it('requests the spec again for each incarnation', async () => {
		const { child, clock, host } = machine({ spec: (epoch) => ({ id: 'test', file: 'bot.js', env: { EPOCH: String(epoch) } }) });
		child.start();
		await clock.advance(0);
		host.current.exit(1);
		await clock.advance(1);
		expect(host.specs.map(({ env }) => env.EPOCH)).toEqual(['1', '2']);
		await end({ child, clock, host });
	});

	it('fails when beforeSpawn rejects, tries again after the cool-down, and starts nothing in between', async () => {
		const made = machine();
		made.spawnGate = gate();
		made.child.start();
		made.spawnGate.refuse(new Error('no budget left'));
		await made.clock.advance(0);
		expect(made.events).toEqual(['spawning', 'failed', `failed (no budget left), retry in ${policy.cooldownMs}`]);
		made.spawnGate = null;
		await made.clock.advance(policy.cooldownMs);
		expect(made.child.state).toBe('starting');
		await end(made);
	});

	it('fails for good when the owner fails it from within beforeSpawn', async () => {
		const { child, clock } = machine({
			beforeSpawn: async () => {
				child.fail('fatal', new Error('401'));
				throw new Error('401');
			},
		});
		child.start();
		await clock.advance(0);
		expect({ state: child.state, timers: clock.pendingTimers() }).toEqual({ state: 'failed', timers: 0 });
	});

	it.each(['stop', 'fail'] as const)(
		'aborts the signal of beforeSpawn on a %s, and starts nothing when it resolves late',
		async (input) => {
			const made = await machineIn('spawning');
			if (input === 'stop') void made.child.stop();
			else made.child.fail('fatal', new Error('no use'));
			expect(made.spawnSignals.map(({ aborted }) => aborted)).toEqual([true]);
			made.spawnGate?.open();
			await made.clock.advance(0);
			expect(made.host.processes).toEqual([]);
		},
	);

	it('treats a fork that throws like a process that exited at once', async () => {
		const made = machine();
		made.host.refuseFork = new Error('EAGAIN');
		made.child.start();
		await made.clock.advance(0);
		expect(made.child.lastExit).toMatchObject({
			reason: 'spawn-failed',
			pid: null,
			message: 'the process could not be started: EAGAIN',
		});
		expect(made.events).toContain('backoff 0');
		made.host.refuseFork = null;
		await made.clock.advance(policy.maxDelayMs);
		expect(made.child.state).toBe('starting');
		await end(made);
	});

	it('ends a process whose channel could not be created', async () => {
		const made = machine({
			connect: () => {
				throw new Error('no channel');
			},
		});
		made.child.start();
		await made.clock.advance(0);
		expect({ state: made.child.state, signals: made.host.signals }).toEqual({ state: 'draining', signals: ['1000 SIGTERM'] });
		made.host.current.exit(null, 'SIGTERM');
		await made.clock.advance(0);
		expect(made.child.lastExit).toMatchObject({ reason: 'spawn-failed' });
		await end(made);
	});

	it('survives a spec that throws', async () => {
		const made = machine({
			spec: () => {
				throw new Error('no slice');
			},
		});
		made.child.start();
		await made.clock.advance(0);
		expect(made.child.state).toBe('failed');
		await end(made);
	});
});

describe('the ready timeout', () => {
	it('replaces a process that is not ready in time', async () => {
		const made = await machineIn('starting');
		await made.clock.advance(readyTimeoutMs + 1);
		expect({ state: made.child.state, asked: made.asked }).toEqual({
			state: 'draining',
			asked: ['was not ready within 30 s without progress'],
		});
		made.host.current.exit(0);
		await made.clock.advance(0);
		expect(made.child.lastExit).toMatchObject({ reason: 'ready-timeout', wasReady: false });
		expect(made.events).toContain('backoff 0');
		await end(made);
	});

	it('is paused on request, and restarts with each sign of progress', async () => {
		const made = await machineIn('starting', { heartbeat: { intervalMs: 0, timeoutMs: 0 } });
		const { child, clock } = made;
		await clock.advance(readyTimeoutMs - 1);
		child.pauseReadyTimeout();
		await clock.advance(100 * readyTimeoutMs);
		expect(child.state).toBe('starting');
		child.restartReadyTimeout();
		await clock.advance(readyTimeoutMs - 1);
		child.restartReadyTimeout();
		await clock.advance(readyTimeoutMs - 1);
		expect(child.state).toBe('starting');
		await clock.advance(2);
		expect(child.state).toBe('draining');
		await end(made);
	});

	it('does not apply to a ready process, and cannot be restarted for it', async () => {
		const made = await machineIn('ready', { heartbeat: { intervalMs: 0, timeoutMs: 0 } });
		made.child.restartReadyTimeout();
		await made.clock.advance(10 * readyTimeoutMs);
		expect(made.child.state).toBe('ready');
		await end(made);
	});

	it.each([0, Number.POSITIVE_INFINITY])('is disabled by %s', async (off) => {
		const made = await machineIn('starting', { readyTimeoutMs: off, heartbeat: { intervalMs: 0, timeoutMs: 0 } });
		expect(made.clock.pendingTimers()).toBe(0);
		await end(made);
	});
});

describe('hang detection', () => {
	it('reports the silence, finds the call stack, then terminates and kills, and classifies the exit', async () => {
		const made = await machineIn('ready');
		made.pings[0]?.open();
		let found: (frames: string[]) => void = () => {};
		made.host.stack = new Promise((resolve) => {
			found = resolve;
		});
		await made.clock.advance(pingIntervalMs + pingTimeoutMs + 1);
		expect(made.events.slice(-2)).toEqual(['unresponsive', `silent for ${pingTimeoutMs}`]);
		expect(made.host.signals).toEqual([]);
		found(['spin (file:///bot.js:1:1)']);
		await made.clock.advance(0);
		expect({ state: made.child.state, asked: made.asked, signals: made.host.signals }).toEqual({
			state: 'draining',
			asked: [],
			signals: ['1000 SIGTERM'],
		});
		await made.clock.advance(killAfterMs);
		expect(made.host.signals).toEqual(['1000 SIGTERM', '1000 KILL GROUP']);
		made.host.current.exit(null, 'SIGKILL');
		await made.clock.advance(0);
		expect(made.child.lastExit).toMatchObject({
			reason: 'hung',
			signal: 'SIGKILL',
			stack: ['spin (file:///bot.js:1:1)'],
			message: expect.stringContaining(
				'hung: its main thread answered no heartbeat for 20 s; it was in spin (file:///bot.js:1:1)',
			),
		});
		await end(made);
	});

	it.each(['ready', 'starting'] as const)(
		'returns to %s when a response arrives during the search for the call stack',
		async (state) => {
			const made = await machineIn(state);
			made.pings[0]?.open();
			let found: (frames: string[]) => void = () => {};
			made.host.stack = new Promise((resolve) => {
				found = resolve;
			});
			if (state === 'starting') made.child.pauseReadyTimeout();
			await made.clock.advance(pingIntervalMs + pingTimeoutMs + 1);
			expect(made.child.state).toBe('unresponsive');
			made.pings[1]?.open();
			await made.clock.advance(0);
			expect(made.child.state).toBe(state);
			found([]);
			await made.clock.advance(0);
			expect({ state: made.child.state, signals: made.host.signals }).toEqual({ state, signals: [] });
			await end(made);
		},
	);

	it('keeps the ready report of a process that sent it just before it was found silent', async () => {
		const made = await machineIn('starting');
		made.pings[0]?.open();
		made.host.stack = new Promise(() => {});
		made.child.pauseReadyTimeout();
		await made.clock.advance(pingIntervalMs + pingTimeoutMs + 1);
		made.child.markReady();
		made.pings[1]?.open();
		await made.clock.advance(0);
		expect(made.child.state).toBe('ready');
		await end(made);
	});

	it('ignores a process that was started to wait for a debugger', async () => {
		const made = await machineIn('starting', { spec: { id: 'test', file: 'bot.js', env: {}, execArgv: ['--inspect-brk'] } });
		made.pings[0]?.open();
		await made.clock.advance(20 * (pingTimeoutMs + readyTimeoutMs));
		expect(made.child.state).toBe('starting');
		await end(made);
	});

	it('ignores a process while a debugger is attached, and checks it again after it detached', async () => {
		const made = await machineIn('ready');
		made.pings[0]?.open();
		made.host.debugged = true;
		await made.clock.advance(20 * pingTimeoutMs);
		expect(made.child.state).toBe('ready');
		made.pings[1]?.open();
		made.host.debugged = false;
		await made.clock.advance(pingIntervalMs + pingTimeoutMs + 1);
		expect(made.child.state).toBe('draining');
		await end(made);
	});

	it('finding 5: does not mistake a line of output for a debugger', async () => {
		const made = await machineIn('ready');
		made.pings[0]?.open();
		made.host.current.output.stderr.write('Debugger listening on ws://127.0.0.1:9229/x\nDebugger attached.\n');
		await made.clock.advance(pingIntervalMs + pingTimeoutMs + 1);
		expect(made.child.state).toBe('draining');
		await end(made);
	});
});

describe('stopping', () => {
	it('requests, waits, terminates, waits, kills, and still waits for the exit', async () => {
		const made = await machineIn('ready');
		const { child, clock, host, asked } = made;
		const stopped = vi.fn<() => void>();
		void child.stop().then(stopped);
		expect(asked).toEqual(['requested']);
		await clock.advance(graceMs);
		expect(host.signals).toEqual(['1000 SIGTERM']);
		await clock.advance(killAfterMs);
		expect(host.signals).toEqual(['1000 SIGTERM', '1000 KILL GROUP']);
		await clock.advance(60_000);
		expect(stopped).not.toHaveBeenCalled();
		host.current.exit(null, 'SIGKILL');
		await clock.advance(0);
		expect(stopped).toHaveBeenCalledOnce();
		expect(child.lastExit).toMatchObject({ reason: 'requested', signal: 'SIGKILL' });
	});

	it('sends no request to a process that hangs', async () => {
		const made = await machineIn('unresponsive');
		void made.child.stop();
		expect({ asked: made.asked, signals: made.host.signals }).toEqual({ asked: [], signals: ['1000 SIGTERM'] });
		await end(made);
	});

	it('waits for descendants of the process', async () => {
		const made = await machineIn('exited');
		const stopped = vi.fn<() => void>();
		void made.child.stop().then(stopped);
		await made.clock.advance(60_000);
		expect({ called: stopped.mock.calls.length, closed: made.closed.length }).toEqual({ called: 0, closed: 0 });
		made.host.openGroup();
		await made.clock.advance(0);
		expect({ called: stopped.mock.calls.length, closed: made.closed.length }).toEqual({ called: 1, closed: 1 });
	});

	it('returns one promise for all calls, and a second call shortens the grace', async () => {
		const { child, clock, host } = await machineIn('ready');
		const first = child.stop();
		expect(child.stop({ graceMs: 0 })).toBe(first);
		expect(host.signals).toEqual(['1000 SIGTERM']);
		expect(child.stop({ graceMs: 0 })).toBe(first);
		expect(host.signals).toEqual(['1000 SIGTERM', '1000 KILL GROUP']);
		host.current.exit(null, 'SIGKILL');
		await clock.advance(0);
		await first;
		expect(child.stop()).toBe(first);
	});

	it('shortens a running replacement with a long grace', async () => {
		const { child, clock, host } = await machineIn('ready');
		const restarted = child.restart('new code');
		const stopped = child.stop({ graceMs: 1000 });
		await clock.advance(1000);
		expect(host.signals).toEqual(['1000 SIGTERM']);
		host.current.exit(null, 'SIGTERM');
		await clock.advance(0);
		await stopped;
		expect(await restarted).toBe(false);
	});

	it('can be followed by a start with a clean record', async () => {
		const made = await machineIn('stopped');
		const { child, clock } = made;
		child.start();
		await clock.advance(0);
		expect({ state: child.state, epoch: child.epoch, restarts: child.restarts }).toEqual({
			state: 'starting',
			epoch: 2,
			restarts: 0,
		});
		await end(made);
	});

	it('works between two attempts of a crash loop', async () => {
		const { child, clock, host } = machine();
		child.on('exited', () => void child.stop());
		child.start();
		await clock.advance(0);
		host.current.exit(1);
		await clock.advance(60_000);
		expect({ state: child.state, started: host.processes.length, timers: clock.pendingTimers() }).toEqual({
			state: 'stopped',
			started: 1,
			timers: 0,
		});
	});

	it.each(['spawning', 'starting', 'ready', 'exited', 'backing-off', 'failed'] as const)(
		'may be called by a listener when the state becomes %s',
		async (state) => {
			const { child, clock, host } = machine();
			child.on('state', ({ to }) => {
				if (to === state) void child.stop({ graceMs: 0 });
			});
			child.start();
			for (let step = 0; step < 8 && child.state !== 'stopped'; step++) {
				await clock.advance(0);
				child.markReady();
				if (withProcess.includes(child.state)) host.current.exit(1);
				await clock.advance(policy.maxDelayMs);
			}
			await child.stop();
			expect({ state: child.state, timers: clock.pendingTimers() }).toEqual({ state: 'stopped', timers: 0 });
		},
	);
});

describe('restarting on demand', () => {
	it('resolves with true once the replacement is ready, and joins concurrent calls', async () => {
		const made = await machineIn('ready');
		const both = Promise.all([made.child.restart('a'), made.child.restart('b')]);
		expect(made.asked).toEqual(['was replaced: a']);
		made.host.current.exit(0);
		await made.clock.advance(0);
		made.child.markReady();
		expect(await both).toEqual([true, true]);
		expect({ epoch: made.child.epoch, reason: made.child.lastExit?.reason }).toEqual({ epoch: 2, reason: 'requested' });
		await end(made);
	});

	it("does not mistake a late ready report of the old process for the new one's", async () => {
		const made = await machineIn('starting');
		const restarted = vi.fn<(ready: boolean) => void>();
		void made.child.restart('a').then(restarted);
		made.child.markReady();
		await made.clock.advance(0);
		expect(restarted).not.toHaveBeenCalled();
		await end(made);
	});

	it('waits for the next process when a listener calls it as soon as this one is ready', async () => {
		const made = await machineIn('starting');
		const restarted = vi.fn<(ready: boolean) => void>();
		made.child.once('ready', () => void made.child.restart('at once').then(restarted));
		made.child.markReady();
		await made.clock.advance(0);
		expect({ state: made.child.state, answers: restarted.mock.calls }).toEqual({ state: 'draining', answers: [] });
		made.host.current.exit(0);
		await made.clock.advance(0);
		made.child.markReady();
		await made.clock.advance(0);
		expect(restarted.mock.calls).toEqual([[true]]);
		await end(made);
	});

	it('waits while the policy retries, and resolves with false after it gives up', async () => {
		const made = await machineIn('ready');
		const patient = made.child.restart('a');
		const impatient = made.child.restart('b', { giveUpAfterExits: 1 });
		const heard: string[] = [];
		void patient.then((ready) => heard.push(`patient ${ready}`));
		void impatient.then((ready) => heard.push(`impatient ${ready}`));
		made.host.current.exit(0);
		await made.clock.advance(0);
		expect(heard).toEqual([]);
		made.host.current.exit(1);
		await made.clock.advance(0);
		expect(heard).toEqual(['impatient false']);
		for (let restart = 0; restart < policy.maxRestarts; restart++) {
			await made.clock.advance(policy.maxDelayMs);
			made.host.current.exit(1);
			await made.clock.advance(0);
		}
		expect(heard).toEqual(['impatient false', 'patient false']);
		await end(made);
	});

	it('restarts a failed child, with a clean record', async () => {
		const made = await machineIn('failed');
		const restarted = made.child.restart('operator');
		await made.clock.advance(0);
		made.child.markReady();
		expect(await restarted).toBe(true);
		made.host.current.exit(1);
		await made.clock.advance(0);
		expect(made.events.findLast((event) => event.startsWith('backoff'))).toBe('backoff 0');
		await end(made);
	});

	it('does not wait for the end of a backoff', async () => {
		const made = await machineIn('backing-off');
		void made.child.restart('operator');
		await made.clock.advance(0);
		expect({ state: made.child.state, timers: made.child.pid }).toEqual({ state: 'starting', timers: made.host.current.pid });
		await end(made);
	});

	it('is not counted against the child by the policy', async () => {
		const made = await machineIn('ready');
		for (let times = 0; times < 3 * policy.maxRestarts; times++) {
			const restarted = made.child.restart('deploy');
			made.host.current.exit(0);
			await made.clock.advance(0);
			made.child.markReady();
			expect(await restarted).toBe(true);
		}
		expect(made.child.restarts).toBe(3 * policy.maxRestarts);
		await end(made);
	});
});

describe('giving up', () => {
	it('follows the policy: backoff, then failed with a cool-down, then another attempt', async () => {
		const made = await machineIn('failed');
		expect(made.events.filter((event) => event.startsWith('backoff'))).toEqual(['backoff 0', 'backoff 500']);
		expect(made.events.at(-1)).toMatch(/^failed \(process 1002 failed .*\), retry in 31500$/);
		await made.clock.advance(31_499);
		expect(made.child.state).toBe('failed');
		await made.clock.advance(1);
		expect(made.child.state).toBe('starting');
		await end(made);
	});

	it('knows since when processes fail, until one was stable', async () => {
		const { child, clock, host } = machine();
		const runFor = async (ms: number) => {
			child.markReady();
			await clock.advance(ms);
			host.current.exit(1);
			const at = clock.now();
			await clock.advance(policy.maxDelayMs);
			return at;
		};
		child.start();
		await clock.advance(0);
		const first = await runFor(1);
		expect(child.failingSince).toBe(first);
		await runFor(1);
		expect(child.failingSince).toBe(first);
		const afterStable = await runFor(policy.stableAfterMs);
		expect(child).toMatchObject({ failingSince: afterStable, tries: 0 });
		await child.stop({ graceMs: 0 });
	});

	it("is final on the owner's request: no timer, no further process", async () => {
		const made = await machineIn('ready');
		made.child.fail('fatal', new Error('4004'));
		expect(made.asked).toEqual(['was given up: 4004']);
		made.host.current.exit(0);
		await made.clock.advance(24 * 3_600_000);
		expect(made.events.slice(-3)).toEqual(['exited 1: fatal', 'failed', 'failed (4004), retry in null']);
		expect({ processes: made.host.processes.length, timers: made.clock.pendingTimers() }).toEqual({ processes: 1, timers: 0 });
	});

	it('is final without a policy', async () => {
		const made = await machineIn('ready', { policy: null });
		made.host.current.exit(0);
		await made.clock.advance(0);
		expect({ state: made.child.state, reason: made.child.lastExit?.reason, timers: made.clock.pendingTimers() }).toEqual({
			state: 'failed',
			reason: 'clean',
			timers: 0,
		});
	});
});

describe('memory', () => {
	it('warns near the limit, and replaces gracefully above it', async () => {
		const made = await machineIn('ready');
		for (const megabytes of [50, 92, 95, 101]) made.child.reportMemory(megabytes * 2 ** 20);
		expect(made.events.slice(-3)).toEqual(['memory near', 'memory over', 'draining']);
		expect(made.asked).toEqual(['used 101 MB of memory; its limit is 100 MB']);
		made.host.current.exit(0);
		await made.clock.advance(1);
		expect({ last: made.child.lastExit?.reason, state: made.child.state }).toEqual({ last: 'memory-limit', state: 'starting' });
		await end(made);
	});
});

describe('a shutdown', () => {
	it.each<[string, boolean, (child: SupervisedChild) => void]>([
		['a stop', true, (child) => void child.stop()],
		['being given up', true, (child) => child.fail('fatal', new Error('no'))],
		['a requested restart', false, (child) => void child.restart('deploy')],
		['its memory limit', false, (child) => child.reportMemory(200 * 2 ** 20)],
	])('for %s is final: %s', async (_, final, act) => {
		const made = await machineIn('ready');
		act(made.child);
		await made.clock.advance(0);
		expect(made.final).toEqual([final]);
		await end(made);
	});
});

describe('the exit of an incarnation', () => {
	it('is reported once, after all of its output, and before the next start', async () => {
		const made = await machineIn('ready');
		const order: string[] = [];
		made.child.on('log', ({ line, epoch }) => order.push(`log ${epoch}: ${line}`));
		made.child.on('exited', ({ stderrTail }) => order.push(`exited with ${stderrTail.join('|')}`));
		made.child.on('spawned', ({ epoch }) => order.push(`spawned ${epoch}`));
		const old = made.host.current;
		old.output.stderr.write('last words');
		old.exit(1);
		old.exit(1);
		await made.clock.advance(1);
		expect(order).toEqual(['log 1: last words', 'exited with last words', 'spawned 2']);
		expect(made.closed.map(({ epoch }) => epoch)).toEqual([1]);
		await end(made);
	});
});

it("is reported as a listener failure when the owner's listener throws, and the machine continues", async () => {
	const surfaced: unknown[] = [];
	const before = process.rawListeners('uncaughtException');
	process.removeAllListeners('uncaughtException');
	process.on('uncaughtException', (error) => surfaced.push(error));
	try {
		const made = machine();
		made.child.on('state', () => {
			throw new Error('bug in a listener');
		});
		made.child.start();
		await made.clock.advance(0);
		expect(made.child.state).toBe('starting');
		await end(made);
		await new Promise((resolve) => setImmediate(resolve));
	} finally {
		process.removeAllListeners('uncaughtException');
		for (const listener of before) process.on('uncaughtException', listener as NodeJS.UncaughtExceptionListener);
	}
	expect(surfaced).toHaveLength(5);
});

/** Stops the machine and checks that nothing is left of it. */
async function end({ child, clock, host }: Pick<Machine, 'child' | 'clock' | 'host'>): Promise<void> {
	const stopped = child.stop();
	host.openGroup();
	if (withProcess.includes(child.state)) host.current.exit(0);
	await clock.advance(0);
	await stopped;
	expect({ state: child.state, timers: clock.pendingTimers() }).toEqual({ state: 'stopped', timers: 0 });
}
