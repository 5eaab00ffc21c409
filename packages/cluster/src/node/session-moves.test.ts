import { deferred } from '@shardctl/core';
import { fakeClock, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { NodeState } from '../lease/node-state.js';
import { timingsFor } from '../lease/timings.js';
import type { ClusterView, Member, SessionRow } from '../table/cluster-view.js';
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
	reshard: undefined,
	nodes: [],
	sessions,
	records: new Map(),
});

/** Node a owns session 0 with epoch 100; `answer` is what Redis replies to each script, or what it fails with. */
function setUp({ answer = 'OK', owned = [0] }: { answer?: string | Error; owned?: readonly number[] } = {}) {
	const clock = fakeClock();
	const state = new NodeState({ node: 'a', clock, timings: timingsFor() });
	const renew = () =>
		state.hear(state.beginRenewal(), {
			kind: 'renewed',
			identity: 'e',
			quietMs: 0,
			version: 1,
			registered: true,
			sessions: new Map(owned.map((session) => [session, 100])),
			renewals: new Map(),
		});
	renew();
	const log: string[] = [];
	let onHandOver = () => {};
	const held = new Map<number, Promise<void>>();
	const moves = new SessionMoves({
		clock,
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
				await held.get(session);
				return 'record';
			},
		},
		caller: {
			scripts: { prepared: { name: 'prepared' }, handOver: { name: 'handOver' } },
			channel: 'table',
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
		renew,
		/** The host does not finish with a session until the function returned is called. */
		hold(session: number) {
			const done = deferred();
			held.set(session, done.promise);
			return done.resolve;
		},
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

/** Node a owns sessions 0 and 1, both on their way to b. */
const leaving = (one: SessionRow['phase'], other: SessionRow['phase'], reachesDiscord = true): ClusterView => ({
	...view(row(0, { phase: one, target: 'b' }), row(1, { phase: other, target: 'b' })),
	nodes: [{ node: 'a', member: { reachesDiscord } as Member, leaseMs: 6000, renewals: 1 }],
});

it('hand nothing over while another session of the node is being prepared, for a while', async () => {
	const { moves, log, clock, renew } = setUp({ owned: [0, 1] });
	for (let seconds = 0; seconds < 5; seconds++) {
		moves.follow(leaving('prepared', 'moving'));
		await clock.advance(1000);
		renew();
	}
	expect(log).toEqual([]);
	moves.follow(leaving('prepared', 'moving'));
	await waitFor('the step', () => log.includes('changed'));
	expect(log).toEqual(['hand over 0', 'handOver 0 100 record table', 'disown 0', 'changed']);
});

it('hand over at once from a node that does not reach Discord', async () => {
	const { moves, log } = setUp({ owned: [0, 1] });
	moves.follow(leaving('prepared', 'moving', false));
	await waitFor('the step', () => log.includes('changed'));
	expect(log[0]).toBe('hand over 0');
});

it('hand over one session after the other', async () => {
	const { moves, log } = setUp({ owned: [0, 1] });
	moves.follow(leaving('prepared', 'prepared'));
	await waitFor('both steps', () => log.filter((line) => line === 'changed').length === 2);
	expect(log.filter((line) => line !== 'changed')).toEqual([
		'hand over 0',
		'handOver 0 100 record table',
		'disown 0',
		'hand over 1',
		'handOver 1 100 record table',
		'disown 1',
	]);
});

it('do not hold up the others for a hand-over that takes long', async () => {
	const { moves, log, clock, hold } = setUp({ owned: [0, 1] });
	const proceed = hold(0);
	moves.follow(leaving('prepared', 'prepared'));
	await waitFor('the first', () => log.includes('hand over 0'));
	expect(log).toEqual(['hand over 0']);
	await clock.advance(500);
	await waitFor('the second', () => log.includes('disown 1'));
	proceed();
	await waitFor('the first', () => log.includes('disown 0'));
});

it('do not begin a hand-over that was called off while it waited for its turn', async () => {
	const { moves, log, hold } = setUp({ owned: [0, 1] });
	const proceed = hold(0);
	moves.follow(leaving('prepared', 'prepared'));
	await waitFor('the first', () => log.includes('hand over 0'));
	moves.follow(leaving('prepared', 'held'));
	proceed();
	await waitFor('the first', () => log.includes('changed'));
	await new Promise((resolve) => setImmediate(resolve));
	expect(log).not.toContain('hand over 1');
});

it('report that the target is ready only after it is', async () => {
	const { moves, log } = setUp();
	moves.follow(view(row(3, { owner: 'b', phase: 'moving', target: 'a' })));
	await waitFor('the step', () => log.includes('changed'));
	expect(log).toEqual(['prepare 3', 'prepared 3 100 table', 'changed']);
});

it('hand over with the record of the host, take each step once, and drop the session', async () => {
	const { moves, log, state } = setUp();
	const prepared = view(row(0, { phase: 'prepared', target: 'b' }));
	moves.follow(prepared);
	moves.follow(prepared);
	await waitFor('the step', () => log.includes('changed'));
	expect(log).toEqual(['hand over 0', 'handOver 0 100 record table', 'disown 0', 'changed']);
	expect(state.holding(0)).toBeUndefined();
});

it('continue where the answer says that the hand-over has not happened', async () => {
	const { moves, log, state } = setUp({ answer: 'QUIET' });
	moves.follow(view(row(0, { phase: 'prepared', target: 'b' })));
	await waitFor('the step', () => log.includes('kept 0'));
	expect(state.mayAct(0)).toBe(true);
});

it.each([new Error('no answer'), 'FENCED'])('stay silent after %s: the next renewal decides', async (answer) => {
	const { moves, log, state } = setUp({ answer });
	moves.follow(view(row(0, { phase: 'prepared', target: 'b' })));
	await waitFor('the script', () => log.includes('handOver 0 100 record table'));
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
