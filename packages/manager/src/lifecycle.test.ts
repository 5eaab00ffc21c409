import { expect, it } from 'vitest';
import { Lifecycle, type LifecycleState, lifecycleTransitions } from './lifecycle.js';

/** A way into each state. */
const paths: Record<LifecycleState, LifecycleState[]> = {
	idle: [],
	starting: ['starting'],
	running: ['starting', 'running'],
	stopping: ['starting', 'stopping'],
	stopped: ['stopping', 'stopped'],
};
const states = Object.keys(lifecycleTransitions) as LifecycleState[];

function lifecycleIn(state: LifecycleState): Lifecycle {
	const lifecycle = new Lifecycle();
	for (const step of paths[state]) lifecycle.enter(step);
	return lifecycle;
}

const pairs = states.flatMap((from) => states.map((to) => [from, to] as const));
const isAllowed = ([from, to]: (typeof pairs)[number]) => lifecycleTransitions[from].includes(to);

it.each(pairs.filter(isAllowed))('changes from %s to %s', (from, to) => {
	const lifecycle = lifecycleIn(from);
	lifecycle.enter(to);
	expect(lifecycle.state).toBe(to);
});

it.each(pairs.filter((pair) => !isAllowed(pair)))('does not change from %s to %s', (from, to) => {
	const lifecycle = lifecycleIn(from);
	expect(() => lifecycle.enter(to)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
	expect(lifecycle.state).toBe(from);
});

it('cannot be started a second time, and ends in stopped only', () => {
	expect(states.filter((state) => lifecycleTransitions[state].includes('starting'))).toEqual(['idle']);
	expect(states.filter((state) => lifecycleTransitions[state].length === 0)).toEqual(['stopped']);
});

it('resolves stopped in that state and not before', async () => {
	const lifecycle = lifecycleIn('stopping');
	let isStopped = false;
	const stopped = lifecycle.stopped.then(() => {
		isStopped = true;
	});
	await Promise.resolve();
	expect(isStopped).toBe(false);
	lifecycle.enter('stopped');
	await stopped;
	expect(isStopped).toBe(true);
});
