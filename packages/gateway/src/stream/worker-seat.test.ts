import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import type { WorkerConsumer } from './worker-consumer.js';
import { longestHoldMs, maxHoldMs, type SeatName, seatTransitions, WorkerSeat } from './worker-seat.js';

/** A worker as the seat sees it. */
class FakeWorker {
	accepting = true;
	isPresented = false;
	shown = 0;
	readonly session = { swapsEarlyEvents: false };
	readonly incarnation: number;

	constructor(incarnation: number) {
		this.incarnation = incarnation;
	}

	continuePresentation(): void {
		this.shown++;
	}

	get asConsumer(): WorkerConsumer {
		return this as unknown as WorkerConsumer;
	}
}

function setup() {
	const clock = fakeClock();
	let expired = 0;
	const seat = new WorkerSeat({ clock, onHoldExpired: () => expired++ });
	return { clock, seat, worker: new FakeWorker(5), next: new FakeWorker(6), expired: () => expired };
}

type Setup = ReturnType<typeof setup>;

/** Brings a seat into each of its states, with a worker that is held where that is possible. */
const arrange: Record<SeatName, (made: Setup) => void> = {
	vacant: () => {},
	restored: ({ seat, worker }) => {
		worker.isPresented = true;
		seat.restore(worker.asConsumer, { hold: false });
	},
	presenting: ({ seat, worker }) => seat.admit(worker.asConsumer, { hold: true }),
	held: (made) => {
		arrange.presenting(made);
		made.worker.isPresented = true;
		made.seat.continuePresentations();
	},
	flowing: (made) => {
		arrange.held(made);
		made.seat.noteReady(made.worker.incarnation);
	},
};

const events = {
	restore: ({ seat, next }: Setup) => seat.restore(next.asConsumer, { hold: false }),
	admit: ({ seat, next }: Setup) => seat.admit(next.asConsumer, { hold: true }),
	promote: ({ seat, next }: Setup) => {
		seat.setStandby(next.asConsumer);
		seat.promote();
	},
	'promote one that was shown everything': ({ seat, next }: Setup) => {
		next.isPresented = true;
		seat.setStandby(next.asConsumer);
		seat.promote();
	},
	presented: ({ seat, worker }: Setup) => {
		worker.isPresented = true;
		seat.continuePresentations();
	},
	ready: ({ seat, worker }: Setup) => seat.noteReady(worker.incarnation),
	'ready, of another process': ({ seat, worker }: Setup) => seat.noteReady(worker.incarnation - 1),
	'hold expired': ({ clock }: Setup) => clock.advance(maxHoldMs),
	'present again': ({ seat }: Setup) => seat.presentAgain(),
	resume: ({ seat }: Setup) => seat.resume(),
	pause: ({ seat }: Setup) => seat.pause(),
	'abandon the hand-over': ({ seat }: Setup) => seat.abandonHandover(),
	vacate: ({ seat }: Setup) => seat.vacate(),
};

/** The state after each event, for each state. What is not listed changes nothing; `throws`: it must not happen there. */
const table: Record<keyof typeof events, Partial<Record<SeatName, SeatName | 'throws'>>> = {
	restore: { vacant: 'restored', restored: 'throws', presenting: 'throws', held: 'throws', flowing: 'throws' },
	admit: { vacant: 'presenting', restored: 'throws', presenting: 'throws', held: 'throws', flowing: 'throws' },
	promote: { vacant: 'presenting', restored: 'throws', presenting: 'throws', held: 'throws', flowing: 'throws' },
	'promote one that was shown everything': {
		vacant: 'flowing',
		restored: 'throws',
		presenting: 'throws',
		held: 'throws',
		flowing: 'throws',
	},
	presented: { presenting: 'held' },
	ready: { held: 'flowing' },
	'ready, of another process': {},
	'hold expired': { held: 'flowing' },
	'present again': { vacant: 'throws', restored: 'throws', presenting: 'throws', held: 'presenting', flowing: 'presenting' },
	resume: { restored: 'flowing' },
	pause: {},
	'abandon the hand-over': {},
	vacate: { restored: 'vacant', presenting: 'vacant', held: 'vacant', flowing: 'vacant' },
};

const states = Object.keys(seatTransitions) as SeatName[];
const cases = states.flatMap((state) => (Object.keys(events) as (keyof typeof events)[]).map((event) => [state, event] as const));

const leadsTo = (state: SeatName, event: keyof typeof events) => table[event][state] ?? state;

describe('state × event', () => {
	it.each(cases.filter(([state, event]) => leadsTo(state, event) !== 'throws'))('%s: %s', async (state, event) => {
		const made = setup();
		arrange[state](made);
		expect(made.seat.name).toBe(state);
		await events[event](made);
		expect(made.seat.name).toBe(leadsTo(state, event));
	});

	it.each(cases.filter(([state, event]) => leadsTo(state, event) === 'throws'))('%s: never %s', (state, event) => {
		const made = setup();
		arrange[state](made);
		expect(() => events[event](made)).toThrow(/cannot change from/);
		expect(made.seat.name).toBe(state);
	});
});

it.each(states)('sends events only when it is flowing, connected and not paused (%s)', (state) => {
	const made = setup();
	arrange[state](made);
	const { seat, worker } = made;
	const flows = state === 'flowing';
	expect(seat.recipient !== null).toBe(flows);
	worker.accepting = false;
	expect(seat.recipient).toBeNull();
	worker.accepting = true;
	seat.pause();
	expect(seat.recipient).toBeNull();
	seat.abandonHandover();
	expect(seat.recipient !== null).toBe(flows);
});

it('reports the status of its worker for stats', () => {
	const made = setup();
	expect(made.seat.status).toBe('none');
	arrange.flowing(made);
	expect(made.seat.status).toBe('connected');
	made.seat.pause();
	expect(made.seat.status).toBe('paused');
	made.worker.accepting = false;
	expect(made.seat.status).toBe('away');
});

it('does not hold a process that was ready before, and holds the next one', () => {
	const made = setup();
	arrange.flowing(made);
	const { seat, worker, next } = made;
	seat.vacate();
	seat.admit(worker.asConsumer, { hold: true });
	seat.continuePresentations();
	expect(seat.name).toBe('flowing');
	seat.vacate();
	next.isPresented = true;
	seat.admit(next.asConsumer, { hold: true });
	seat.continuePresentations();
	expect(seat.name).toBe('held');
});

it('flows at once after a presentation during which the worker became ready, or the hold expired', async () => {
	for (const end of [({ seat }: Setup) => seat.noteReady(5), ({ clock }: Setup) => clock.advance(maxHoldMs)]) {
		const made = setup();
		arrange.presenting(made);
		await end(made);
		expect(made.seat.name).toBe('presenting');
		events.presented(made);
		expect(made.seat.name).toBe('flowing');
	}
});

it('holds a worker again that gets a correction while it is held', () => {
	const made = setup();
	arrange.held(made);
	made.worker.isPresented = false;
	made.seat.presentAgain();
	events.presented(made);
	expect(made.seat.name).toBe('held');
});

it.each([
	['ready', ({ seat }: Setup) => seat.noteReady(5)],
	['late', ({ clock }: Setup) => clock.advance(maxHoldMs)],
])('holds a booting worker of an earlier process from its resume until it is %s', async (_, end) => {
	const made = setup();
	made.worker.isPresented = true;
	made.seat.restore(made.worker.asConsumer, { hold: true });
	made.seat.resume();
	expect([made.seat.name, made.seat.recipient]).toEqual(['held', null]);
	await end(made);
	expect(made.seat.name).toBe('flowing');
});

it('does not hold a booting worker of an earlier process that was ready before it resumed', () => {
	const made = setup();
	made.seat.restore(made.worker.asConsumer, { hold: true });
	expect(made.seat.noteReady(5)).toBe(true);
	made.seat.resume();
	expect(made.seat.name).toBe('flowing');
});

it('knows a process to be ready also after the session of an earlier one was restored', () => {
	const { seat, worker, next } = setup();
	seat.noteReady(next.incarnation);
	seat.restore(worker.asConsumer, { hold: false });
	seat.vacate();
	next.isPresented = true;
	seat.admit(next.asConsumer, { hold: true });
	seat.continuePresentations();
	expect(seat.name).toBe('flowing');
});

it('holds a client for longer that would handle events out of order', async () => {
	const made = setup();
	made.worker.session.swapsEarlyEvents = true;
	arrange.held(made);
	await made.clock.advance(longestHoldMs - 1);
	expect(made.seat.name).toBe('held');
	await made.clock.advance(1);
	expect([made.seat.name, made.expired()]).toEqual(['flowing', 1]);
});

it('reports an expired hold once, and not for a worker that has exited', async () => {
	const made = setup();
	arrange.held(made);
	await made.clock.advance(maxHoldMs);
	expect(made.expired()).toBe(1);
	const gone = setup();
	arrange.held(gone);
	gone.seat.vacate();
	await gone.clock.advance(maxHoldMs);
	expect(gone.expired()).toBe(0);
});

it('returns the leaving worker, and whether it never resumed', () => {
	const made = setup();
	expect(made.seat.vacate()).toBeNull();
	arrange.restored(made);
	expect(made.seat.vacate()).toEqual({ consumer: made.worker, wasRestored: true });
	arrange.flowing(made);
	expect(made.seat.vacate()).toEqual({ consumer: made.worker, wasRestored: false });
});

it('sends the standby its presentation while another worker has the seat, and keeps it paused when the standby is dropped', () => {
	const made = setup();
	arrange.flowing(made);
	const { seat, worker, next } = made;
	seat.pause();
	seat.setStandby(next.asConsumer);
	const before = worker.shown;
	seat.continuePresentations();
	expect([next.shown, worker.shown, seat.of(next.session as never)]).toEqual([1, before + 1, next]);
	seat.removeStandby();
	expect([seat.standby, seat.of(next.session as never), seat.status]).toEqual([null, null, 'paused']);
});
