// The machine under thousands of random histories: for any events in any order, there is never a second process, a
// forgotten timer or a promise that never settles.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gate, type Machine, machine } from '../test/machine.js';
import type { ChildState } from './index.js';

const plainSteps = ['start', 'ready', 'fail', 'memory', 'pause', 'progress', 'answer', 'permit', 'refuse', 'release'] as const;

/** What an owner, a process, the system or time may do next. */
type Step =
	| { do: (typeof plainSteps)[number] }
	| { do: 'stop'; graceMs: number | undefined }
	| { do: 'restart'; giveUpAfterExits: number }
	| { do: 'exit'; code: number }
	| { do: 'pass'; ms: number }
	| { do: 'set'; spawnHeld: boolean; forkFails: boolean; groupHeld: boolean };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
	...plainSteps.map((step) => fc.constant<Step>({ do: step })),
	fc.record({ do: fc.constant('stop' as const), graceMs: fc.constantFrom(undefined, 0, 500) }),
	fc.record({ do: fc.constant('restart' as const), giveUpAfterExits: fc.constantFrom(1, Number.POSITIVE_INFINITY) }),
	fc.record({ do: fc.constant('exit' as const), code: fc.constantFrom(0, 1) }),
	fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 1000, 20_000, 60_000, 600_000) }),
	fc.record({ do: fc.constant('set' as const), spawnHeld: fc.boolean(), forkFails: fc.boolean(), groupHeld: fc.boolean() }),
);

const statesWithProcess: ReadonlySet<ChildState> = new Set(['starting', 'ready', 'unresponsive', 'draining']);

/** The promises that were returned, and how many of them have been settled. */
interface Promises {
	given: number;
	settled: number;
}

function take(made: Machine, step: Step, promises: Promises): void {
	const { child, host } = made;
	const watch = (promise: Promise<unknown>) => {
		promises.given++;
		void promise.then(() => promises.settled++);
	};
	switch (step.do) {
		case 'start':
			child.start();
			break;
		case 'ready':
			child.markReady();
			break;
		case 'fail':
			child.fail('fatal', new Error('no use'));
			break;
		case 'memory':
			child.reportMemory(200 * 2 ** 20);
			break;
		case 'pause':
			child.pauseReadyTimeout();
			break;
		case 'progress':
			child.restartReadyTimeout();
			break;
		case 'answer':
			made.pings.at(-1)?.open();
			break;
		case 'permit':
			made.spawnGate?.open();
			break;
		case 'refuse':
			made.spawnGate?.refuse(new Error('refused'));
			break;
		case 'release':
			host.openGroup();
			break;
		case 'stop':
			watch(child.stop(step.graceMs === undefined ? {} : { graceMs: step.graceMs }));
			break;
		case 'restart':
			watch(child.restart('random', { giveUpAfterExits: step.giveUpAfterExits }));
			break;
		case 'exit':
			if (host.alive().length > 0) host.current.exit(step.code);
			break;
		case 'set':
			made.spawnGate = step.spawnHeld ? gate() : null;
			host.refuseFork = step.forkFails ? new Error('EAGAIN') : null;
			host.holdsGroups = step.groupHeld;
			break;
		case 'pass':
			break;
	}
}

function expectSound({ child, host }: Machine): void {
	const alive = host.alive();
	expect(alive.length).toBeLessThanOrEqual(1);
	expect(alive.length === 1).toBe(statesWithProcess.has(child.state));
	expect(child.pid).toBe(alive[0]?.pid ?? null);
	// What an old process left behind is alive only in `exited`, from which nothing has been started yet.
	expect(host.groupsHeld() === 0 || child.state === 'exited').toBe(true);
}

it('holds its invariants through any history', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(anyStep, { maxLength: 40 }),
			// What a listener does inside an event, when it sees that state for the n-th time.
			fc.array(
				fc.record({ on: fc.constantFrom<ChildState>('spawning', 'starting', 'exited', 'failed', 'backing-off'), step: anyStep }),
				{
					maxLength: 3,
				},
			),
			async (steps, reactions) => {
				const made = machine();
				const { child, clock, host } = made;
				const promises: Promises = { given: 0, settled: 0 };
				const pending = [...reactions];
				child.on('state', ({ to }) => {
					const index = pending.findIndex(({ on }) => on === to);
					if (index === -1) return;
					const [reaction] = pending.splice(index, 1);
					if (reaction) take(made, reaction.step, promises);
				});
				for (const step of steps) {
					take(made, step, promises);
					await clock.advance(step.do === 'pass' ? step.ms : 0);
					expectSound(made);
				}

				pending.length = 0;
				made.spawnGate?.open();
				made.spawnGate = null;
				const stopped = child.stop({ graceMs: 0 });
				host.openGroup();
				if (host.alive().length > 0) host.current.exit(null, 'SIGTERM');
				await clock.advance(0);
				await stopped;
				const nothing = { state: 'stopped', alive: 0, timers: 0 };
				const left = () => ({ state: child.state, alive: host.alive().length, timers: clock.pendingTimers() });
				expect(left()).toEqual(nothing);
				await clock.advance(3_600_000);
				expect(left()).toEqual(nothing);
				expect(promises.settled).toBe(promises.given);
				expect(made.closed.map(({ epoch }) => epoch)).toEqual(made.closed.map(({ epoch }) => epoch).toSorted((a, b) => a - b));
				expect(made.closed).toHaveLength(host.processes.length);
			},
		),
		{ numRuns: 3000 },
	);
});
