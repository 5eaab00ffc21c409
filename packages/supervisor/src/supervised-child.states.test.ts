// Two tables: the effect of every input in every state, and what follows the exit of the process then.
import { describe, expect, it } from 'vitest';
import { gate, type Machine, machineIn } from '../test/machine.js';
import { type ChildState, childTransitions } from './child-state.js';

const states = Object.keys(childTransitions) as ChildState[];
const withProcess: ChildState[] = ['starting', 'ready', 'unresponsive', 'draining'];

type Input = 'start' | 'markReady' | 'restart' | 'fail' | 'stop' | 'memory' | 'exit';

function apply({ child, host }: Machine, input: Input): void {
	switch (input) {
		case 'start':
			child.start();
			break;
		case 'markReady':
			child.markReady();
			break;
		case 'restart':
			void child.restart('asked');
			break;
		case 'fail':
			child.fail('fatal', new Error('no use'));
			break;
		case 'stop':
			void child.stop();
			break;
		case 'memory':
			child.reportMemory(200 * 2 ** 20);
			break;
		case 'exit':
			host.current.exit(1);
			break;
	}
}

/** For each input the state that follows, in the order of `states`; a new start is held in `spawning`. */
const follows: Record<Input, ChildState[]> = {
	start: [
		'spawning',
		'spawning',
		'starting',
		'ready',
		'unresponsive',
		'draining',
		'exited',
		'backing-off',
		'spawning',
		'spawning',
	],
	markReady: ['planned', 'spawning', 'ready', 'ready', 'unresponsive', 'draining', 'exited', 'backing-off', 'failed', 'stopped'],
	restart: ['spawning', 'spawning', 'draining', 'draining', 'draining', 'draining', 'exited', 'spawning', 'spawning', 'stopped'],
	fail: ['failed', 'failed', 'draining', 'draining', 'draining', 'draining', 'exited', 'failed', 'failed', 'stopped'],
	stop: ['stopped', 'stopped', 'draining', 'draining', 'draining', 'draining', 'exited', 'stopped', 'stopped', 'stopped'],
	memory: [
		'planned',
		'spawning',
		'draining',
		'draining',
		'unresponsive',
		'draining',
		'exited',
		'backing-off',
		'failed',
		'stopped',
	],
	exit: ['planned', 'spawning', 'exited', 'exited', 'exited', 'exited', 'exited', 'backing-off', 'failed', 'stopped'],
};

describe('every input in every state', () => {
	const table = (Object.keys(follows) as Input[])
		.flatMap((input) => states.map((state, index) => ({ input, state, next: follows[input][index] as ChildState })))
		// An exit is an event of a process; some states have none.
		.filter(({ input, state }) => input !== 'exit' || withProcess.includes(state));

	it.each(table)(
		'$input in $state leads to $next, and a stop from there leaves nothing behind',
		async ({ input, state, next }) => {
			const made = await machineIn(state);
			const { child, clock, host } = made;
			const held = made.spawnGate ?? gate();
			made.spawnGate = held;
			apply(made, input);
			expect(child.state).toBe(next);

			const stopped = child.stop();
			if (withProcess.includes(child.state)) host.current.exit(0);
			host.openGroup();
			await clock.advance(0);
			await stopped;
			held.open();
			await clock.advance(10 * 60_000);
			expect({ state: child.state, pid: child.pid, timers: clock.pendingTimers() }).toEqual({
				state: 'stopped',
				pid: null,
				timers: 0,
			});
		},
	);
});

describe('what follows the exit', () => {
	const sequel: Record<Exclude<Input, 'exit'>, ChildState> = {
		start: 'backing-off',
		markReady: 'backing-off',
		restart: 'spawning',
		fail: 'failed',
		stop: 'stopped',
		memory: 'backing-off',
	};
	const table = (Object.keys(sequel) as (keyof typeof sequel)[]).flatMap((input) =>
		[...withProcess, 'exited' as const].map((state) => ({ input, state, next: sequel[input] })),
	);

	it.each(table)('$input in $state ends in $next', async ({ input, state, next }) => {
		const made = await machineIn(state);
		made.spawnGate = gate();
		apply(made, input);
		if (state !== 'exited') made.host.current.exit(1);
		made.host.openGroup();
		await made.clock.advance(0);
		const exited = made.events.findLastIndex((event) => event.startsWith('exited '));
		expect(made.events[exited + 1]).toBe(next);
		await made.child.stop();
	});

	it.each<[Input, Input, ChildState]>([
		['restart', 'stop', 'stopped'],
		['stop', 'restart', 'stopped'],
		['restart', 'fail', 'failed'],
		['fail', 'restart', 'failed'],
		['fail', 'stop', 'stopped'],
		['stop', 'fail', 'stopped'],
		['memory', 'restart', 'spawning'],
	])('the stronger request wins: %s, then %s', async (first, second, next) => {
		const made = await machineIn('ready');
		made.spawnGate = gate();
		apply(made, first);
		apply(made, second);
		made.host.current.exit(0);
		await made.clock.advance(0);
		expect(made.child.state).toBe(next);
		await made.child.stop();
	});
});
