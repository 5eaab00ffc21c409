import { expect, it } from 'vitest';
import { NodeSteps } from './node-steps.js';

it('adds up how often and how long, by step, and ignores what is no step of a node', () => {
	const steps = new NodeSteps();
	steps.note({ type: 'cluster:joined', tookMs: 20 });
	steps.note({ type: 'cluster:muted', sessions: 2 });
	steps.note({ type: 'cluster:confirmed', mutedMs: 1500 });
	const session = { sessions: [0], shardIds: [0] };
	steps.note({ type: 'cluster:session-ready', ...session, how: 'taken-over', tookMs: 700 });
	steps.note({ type: 'cluster:session-ready', ...session, how: 'taken-over', tookMs: 900 });
	steps.note({ type: 'cluster:session-ready', ...session, how: 'moved', tookMs: 200 });
	steps.note({ type: 'cluster:session-gone', ...session, how: 'moved', tookMs: 80 });
	steps.note({ type: 'cluster:left', tookMs: 3000 });
	expect(Object.fromEntries(steps.totals)).toEqual({
		joined: { count: 1, ms: 20 },
		muted: { count: 1, ms: 1500 },
		session_taken_over: { count: 2, ms: 1600 },
		session_moved: { count: 1, ms: 200 },
		left: { count: 1, ms: 3000 },
	});
});
