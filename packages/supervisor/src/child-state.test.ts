import { expect, it } from 'vitest';
import { type ChildState, childTransitions } from './child-state.js';

const states = Object.keys(childTransitions) as ChildState[];
const withProcess: ChildState[] = ['starting', 'ready', 'unresponsive', 'draining'];

it('every state can be reached from the first', () => {
	const reached = new Set<ChildState>(['planned']);
	for (const state of reached) for (const next of childTransitions[state]) reached.add(next);
	expect([...reached].sort()).toEqual([...states].sort());
});

it('every state can reach stopped', () => {
	for (const state of states) {
		const reached = new Set<ChildState>([state]);
		for (const from of reached) for (const next of childTransitions[from]) reached.add(next);
		expect(reached).toContain('stopped');
	}
});

it('nothing is started from a state with a process, and a process is left only through its exit', () => {
	for (const state of withProcess) {
		expect(childTransitions[state]).not.toContain('spawning');
		expect(childTransitions[state].filter((next) => !withProcess.includes(next))).toEqual(['exited']);
	}
});

it('only spawning starts a process', () => {
	for (const state of states.filter((from) => !withProcess.includes(from) && from !== 'spawning')) {
		expect(childTransitions[state].filter((next) => withProcess.includes(next))).toEqual([]);
	}
});
