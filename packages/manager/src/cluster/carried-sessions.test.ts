import type { ClusterView, HeldSession, SessionRow } from '@shardctl/cluster';
import { deferred } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import type { Carried } from '../modes/carried.js';
import type { SessionToCarry } from '../modes/carried-session.js';
import { CarriedSessions } from './carried-sessions.js';

const never = new AbortController().signal;
const held = (session: number, epoch = 100): HeldSession => ({ session, epoch, hold: 'acting' });
const row = (session: number, changes: Partial<SessionRow>): SessionRow => ({
	session,
	owner: undefined,
	epoch: 0,
	phase: 'held',
	target: undefined,
	unsure: false,
	...changes,
});
const view = (...sessions: SessionRow[]) => ({ sessions }) as unknown as ClusterView;

function setUp() {
	const clock = fakeClock();
	const log: string[] = [];
	const holds = new Map<number, HeldSession>();
	const opened: SessionToCarry[] = [];
	const ready = deferred();
	const world = { isResharded: false };
	const state = {
		holding: (session: number) => holds.get(session),
		mayAct: (session: number) => holds.has(session),
		leaseMs: 4500,
		identity: 'engine',
	};
	const sessions = new CarriedSessions({
		clock,
		node: { node: 'a', state: state as never },
		planOf: (session) => ({ shardIds: [session, session + 8], slices: [[session], [session + 8]] }),
		sessionsOf: (shardIds) => (world.isResharded ? [...shardIds] : shardIds.slice(0, 1)),
		carry: (session): Carried => {
			opened.push(session);
			const note = (what: string) => void log.push(`${what} ${session.session}`);
			note('carry');
			return {
				isReady: false,
				workers: [],
				whenReady: () => ready.promise,
				whenPrepared: async () => note('prepare'),
				lease: ({ epoch, untilMs }) => note(`lease ${epoch} ${untilMs > 0 ? 'valid' : 'over'} of`),
				pause: async () => note('pause'),
				resume: () => note('resume'),
				close: async () => note('close'),
			};
		},
		gatewayConfig: (_, lease) => ({ lease }) as never,
		reach: {
			note: (session, connection) => void log.push(`reach ${connection} ${session}`),
			forget: (session) => void log.push(`forget ${session}`),
		},
		emit: ((event: string, { sessions, how, tookMs }: Record<string, string | number>) =>
			log.push(`${event.slice('cluster:'.length)} ${sessions} ${how} ${tookMs}`)) as never,
		onCloseFailed: (shardIds) => void log.push(`failed ${shardIds.join()}`),
	});
	/** What has happened since the last call. */
	const seen = async () => {
		await clock.advance(0);
		return log.splice(0);
	};
	const own = (session: HeldSession) => {
		holds.set(session.session, session);
		sessions.own(session);
	};
	const disown = (session: HeldSession) => {
		holds.delete(session.session);
		sessions.disown(session);
	};
	return { clock, sessions, seen, own, disown, ready, opened, world };
}

it('are carried from the moment at which they are this node’s, with their lease', async () => {
	const { sessions, seen, own, ready, opened, clock } = setUp();
	own(held(3));
	expect(await seen()).toEqual(['carry 3', 'resume 3', 'lease 100 valid of 3']);
	expect(opened[0]).toMatchObject({ session: 3, shardIds: [3, 11], slices: [[3], [11]] });
	expect(opened[0]?.gateway().lease).toMatchObject({ epoch: 100, identity: 'engine' });
	expect([sessions.all.length, sessions.starting]).toEqual([1, 1]);
	await clock.advance(70);
	ready.resolve();
	expect(await seen()).toEqual(['session-ready 3 started 70']);
	sessions.passLeases();
	expect(await seen()).toEqual(['lease 100 valid of 3']);
	opened[0]?.onConnection('down');
	expect(await seen()).toEqual(['reach down 3']);
});

it('were taken over where they had an owner before', async () => {
	const { sessions, seen, own, ready } = setUp();
	sessions.note(view(row(3, { owner: 'b', epoch: 7 })));
	own(held(3));
	ready.resolve();
	expect(await seen()).toContain('session-ready 3 taken-over 0');
});

it('are prepared without a lease, and have moved when they are this node’s', async () => {
	const { sessions, seen, own, ready, opened } = setUp();
	await sessions.prepare(3, never);
	expect(await seen()).toEqual(['carry 3', 'prepare 3']);
	expect(opened[0]?.gateway().lease).toBeNull();
	expect(sessions.starting).toBe(0);
	own(held(3));
	ready.resolve();
	expect(await seen()).toEqual(['resume 3', 'lease 100 valid of 3', 'session-ready 3 moved 0']);
});

it('are closed where a move to this node was called off, and only then', async () => {
	const { sessions, seen, own } = setUp();
	await sessions.prepare(3, never);
	own(held(4));
	await seen();
	const prepared = row(3, { owner: 'b', phase: 'moving', target: 'a' });
	sessions.note(view(prepared, row(4, { owner: 'b' })));
	expect(await seen()).toEqual([]);
	sessions.note(view({ ...prepared, target: 'c' }));
	// Nothing is reported of a session that never was this node's.
	expect(await seen()).toEqual(['forget 3', 'close 3']);
	expect(sessions.all.length).toBe(1);
});

it.each([
	['moved', true],
	['lost', false],
])('have %s where they were handed over: %s', async (how, handed) => {
	const { sessions, seen, own, disown } = setUp();
	own(held(3));
	await seen();
	if (handed) await sessions.handOver(held(3));
	disown(held(3));
	expect(await seen()).toEqual([...(handed ? ['pause 3'] : []), 'forget 3', 'close 3', `session-gone 3 ${how} 0`]);
});

it('are reported as the sessions with Discord that there are by then', async () => {
	const { sessions, seen, own, disown, ready, world } = setUp();
	own(held(3));
	world.isResharded = true;
	ready.resolve();
	expect(await seen()).toContain('session-ready 3,11 started 0');
	await sessions.handOver(held(3));
	disown(held(3));
	expect(await seen()).toContain('session-gone 3,11 moved 0');
});

it('continue where a hand-over did not happen, and are lost if they are lost later', async () => {
	const { sessions, seen, own, disown } = setUp();
	own(held(3));
	await sessions.handOver(held(3));
	await seen();
	own(held(3, 200));
	expect(await seen()).toEqual(['resume 3', 'lease 200 valid of 3']);
	disown(held(3, 200));
	expect(await seen()).toContain('session-gone 3 lost 0');
});

it('are all paused and ended when the node leaves', async () => {
	const { sessions, seen, own } = setUp();
	for (const session of [3, 4]) own(held(session));
	await seen();
	await sessions.pause();
	expect(await seen()).toEqual(['pause 3', 'pause 4']);
	await sessions.close();
	expect(await seen()).toEqual([
		'forget 3',
		'close 3',
		'forget 4',
		'close 4',
		'session-gone 3 released 0',
		'session-gone 4 released 0',
	]);
	expect(sessions.all.length).toBe(0);
});
