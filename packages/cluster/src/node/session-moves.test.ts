import { fakeClock, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { NodeState } from '../lease/node-state.js';
import { timingsFor } from '../lease/timings.js';
import type { ClusterView, SessionRow } from '../table/cluster-view.js';
import { movesOf, SessionMoves } from './session-moves.js';

const row = (session: number, changes: Partial<SessionRow>): SessionRow => ({
	session,
	owner: 'a',
	epoch: 100,
	phase: 'held',
	target: undefined,
	unsure: false,
	...changes,
});
const view = (...sessions: SessionRow[]): ClusterView => ({
	identity: 'e',
	version: 1,
	quietMs: 0,
	layout: '',
	nodes: [],
	sessions,
	records: new Map(),
});

/** Node a owns session 0 with epoch 100; `answer` is what Redis replies to each script, or what it fails with. */
function setUp(answer: string | Error = 'OK') {
	const clock = fakeClock();
	const state = new NodeState({ node: 'a', clock, timings: timingsFor() });
	const renew = () =>
		state.hear(state.beginRenewal(), {
			kind: 'renewed',
			identity: 'e',
			quietMs: 0,
			version: 1,
			registered: true,
			sessions: new Map([[0, 100]]),
			renewals: new Map(),
		});
	renew();
	const log: string[] = [];
	let onHandOver = () => {};
	const moves = new SessionMoves({
		state,
		host: {
			own: () => {},
			disown: ({ session }) => log.push(`disown ${session}`),
			muted: () => {},
			unmuted: () => {},
			prepare: async (session) => {
				log.push(`prepare ${session}`);
			},
			handOver: async ({ session }) => {
				log.push(`hand over ${session}`);
				onHandOver();
				return 'record';
			},
		},
		caller: {
			scripts: { prepared: { name: 'prepared' }, handOver: { name: 'handOver' } },
			run: async ({ name }: { name: string }, ...args: unknown[]) => {
				log.push(`${name} ${args.join(' ')}`);
				if (answer instanceof Error) throw answer;
				return [answer];
			},
		} as never,
		onKept: ({ session }) => log.push(`kept ${session}`),
		onChanged: () => log.push('changed'),
		onFailed: (error) => log.push(`failed ${String(error)}`),
	});
	return {
		clock,
		state,
		log,
		moves,
		onHandOver: (act: () => void) => {
			onHandOver = act;
		},
	};
}

it('are those whose next step is this node’s', () => {
	const rows = [
		row(0, { phase: 'moving', target: 'b' }),
		row(1, { phase: 'prepared', target: 'b' }),
		row(2, { owner: 'b', phase: 'moving', target: 'a' }),
		row(3, { owner: 'b', phase: 'prepared', target: 'a' }),
		row(4, {}),
	];
	expect(movesOf(view(...rows), 'a').map(({ session }) => session)).toEqual([1, 2]);
	expect(movesOf(undefined, 'a')).toEqual([]);
});

it('report that the target is ready only after it is', async () => {
	const { moves, log } = setUp();
	moves.follow(view(row(3, { owner: 'b', phase: 'moving', target: 'a' })));
	await waitFor('the step', () => log.includes('changed'));
	expect(log).toEqual(['prepare 3', 'prepared 3 100', 'changed']);
});

it('hand over with the record of the host, take each step once, and drop the session', async () => {
	const { moves, log, state } = setUp();
	const prepared = view(row(0, { phase: 'prepared', target: 'b' }));
	moves.follow(prepared);
	moves.follow(prepared);
	await waitFor('the step', () => log.includes('changed'));
	expect(log).toEqual(['hand over 0', 'handOver 0 100 record', 'disown 0', 'changed']);
	expect(state.holding(0)).toBeUndefined();
});

it('continue where the answer says that the hand-over has not happened', async () => {
	const { moves, log, state } = setUp('QUIET');
	moves.follow(view(row(0, { phase: 'prepared', target: 'b' })));
	await waitFor('the step', () => log.includes('kept 0'));
	expect(state.mayAct(0)).toBe(true);
});

it.each([new Error('no answer'), 'FENCED'])('stay silent after %s: the next renewal decides', async (answer) => {
	const { moves, log, state } = setUp(answer);
	moves.follow(view(row(0, { phase: 'prepared', target: 'b' })));
	await waitFor('the script', () => log.includes('handOver 0 100 record'));
	await waitFor('its answer', () => typeof answer === 'string' || log.some((line) => line.startsWith('failed')));
	expect(state.holding(0)).toMatchObject({ hold: 'giving' });
	expect(state.mayAct(0)).toBe(false);
	expect(log).not.toContain('kept 0');
});

it('send no hand-over after the lease has ended while the host prepared its record', async () => {
	const { moves, log, clock, onHandOver } = setUp();
	onHandOver(() => clock.setNow(clock.now() + 60_000));
	moves.follow(view(row(0, { phase: 'prepared', target: 'b' })));
	await waitFor('the host to continue', () => log.includes('kept 0'));
	expect(log).toEqual(['hand over 0', 'kept 0']);
});

it('take no step of a quiet period, of an epoch that is over, or of a session that is not held', async () => {
	const { moves, log } = setUp();
	moves.follow({ ...view(row(0, { phase: 'prepared', target: 'b' })), quietMs: 1 });
	moves.follow(view(row(0, { phase: 'prepared', target: 'b', epoch: 99 })));
	moves.follow(view(row(5, { phase: 'prepared', target: 'b' })));
	await new Promise((resolve) => setImmediate(resolve));
	expect(log).toEqual([]);
});
