import { type Deferred, deferred } from '@shardctl/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Handover, type HandoverState, handoverTransitions } from './handover.js';

const present = 4;
const successor = 5;

function setup() {
	const done: string[] = [];
	const pauses: Deferred<boolean>[] = [];
	const saves: Deferred<void>[] = [];
	const handover = new Handover(7, present, {
		pause: () => {
			done.push('pause');
			pauses.push(deferred<boolean>());
			return (pauses.at(-1) as Deferred<boolean>).promise;
		},
		released: async () => void done.push('released'),
		saveSuccessor: () => {
			done.push('save');
			saves.push(deferred());
			return (saves.at(-1) as Deferred<void>).promise;
		},
		promote: () => void done.push('promote'),
		rollBack: () => void done.push('rollBack'),
	});
	return { handover, done, pauses, saves };
}

type Setup = ReturnType<typeof setup>;

/** Brings a new hand-over into a state. */
const lead: Record<HandoverState, (made: Setup) => Promise<void>> = {
	none: async () => {},
	announced: async ({ handover }) => handover.begin(successor),
	waiting: async (made) => {
		await lead.announced(made);
		void made.handover.admission(successor);
	},
	pausing: async (made) => {
		await lead.waiting(made);
		made.handover.pause(successor).catch(() => {});
	},
	paused: async (made) => {
		await lead.pausing(made);
		made.pauses[0]?.resolve(true);
		await settled();
	},
	presenting: async (made) => {
		await lead.paused(made);
		made.handover.answer(successor);
	},
	committing: async (made) => {
		await lead.presenting(made);
		made.handover.commit(successor).catch(() => {});
	},
	closed: async ({ handover }) => handover.close(),
};

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** The state after each request, for each state that accepts it; in every other state the request is stale. */
const requests = {
	begin: {
		ask: ({ handover }: Setup, incarnation: number) => handover.begin(incarnation),
		leads: {
			none: 'announced',
			announced: 'announced',
			waiting: 'announced',
			pausing: 'announced',
			paused: 'announced',
			presenting: 'announced',
		},
	},
	waiting: {
		ask: ({ handover }: Setup, incarnation: number) => handover.waiting(incarnation),
		leads: { announced: 'announced', waiting: 'waiting' },
	},
	pause: {
		ask: ({ handover }: Setup, incarnation: number) => handover.pause(incarnation),
		leads: { waiting: 'pausing' },
	},
	present: {
		ask: ({ handover }: Setup, incarnation: number) => handover.answer(incarnation),
		leads: { paused: 'presenting' },
	},
	released: {
		ask: ({ handover }: Setup, incarnation: number) => handover.released(incarnation),
		leads: { presenting: 'presenting' },
	},
	commit: {
		ask: ({ handover }: Setup, incarnation: number) => handover.commit(incarnation),
		leads: { presenting: 'committing' },
	},
	abort: {
		ask: ({ handover }: Setup, incarnation: number) => handover.abort(incarnation),
		leads: { announced: 'none', waiting: 'none', pausing: 'none', paused: 'none', presenting: 'none' },
	},
} satisfies Record<
	string,
	{ ask(made: Setup, incarnation: number): unknown; leads: Partial<Record<HandoverState, HandoverState>> }
>;

const states = Object.keys(handoverTransitions) as HandoverState[];
const table = Object.entries(requests).flatMap(([name, { ask, leads }]) =>
	states.map((state) => ({ name, ask, state, to: (leads as Partial<Record<HandoverState, HandoverState>>)[state] })),
);
/** Settled or not: the error that a request has thrown or rejected with so far. */
async function refusalOf(ask: () => unknown): Promise<unknown> {
	const pending = Symbol();
	try {
		return await Promise.race([Promise.resolve(ask()).then(() => undefined), settled().then(() => pending)]).then((value) =>
			value === pending ? undefined : value,
		);
	} catch (error) {
		return error;
	}
}

it.each(table)('accepts $name in state $state: $to', async ({ name, ask, state, to }) => {
	const made = setup();
	await lead[state](made);
	expect(made.handover.state).toBe(state);
	// Another incarnation announces a second hand-over.
	const incarnation = name === 'begin' ? successor + 1 : successor;
	const refusal = await refusalOf(() => ask(made, incarnation));
	const { code, message } = (refusal ?? {}) as { code?: string; message?: string };
	expect([code, message?.startsWith(`stale handover.${name} for worker process #${incarnation}`)]).toEqual(
		to === undefined ? ['PROTOCOL_ERROR', true] : [undefined, undefined],
	);
	expect(made.handover.state).toBe(to ?? state);
});

it.each(states.flatMap((state) => Object.entries(requests).map(([name, { ask }]) => ({ name, ask, state }))))(
	'refuses $name for another incarnation in state $state, and changes nothing',
	async ({ name, ask, state }) => {
		const made = setup();
		await lead[state](made);
		const before = [...made.done];
		const others = name === 'begin' ? [present] : [present, successor - 2, successor + 1];
		for (const incarnation of others) {
			expect(await refusalOf(() => ask(made, incarnation))).toMatchObject({ code: 'PROTOCOL_ERROR' });
		}
		expect([made.handover.state, made.done]).toEqual([state, before]);
	},
);

it('hands over the stream: pause, READY for the successor, log-out of the current process, commit', async () => {
	const made = setup();
	const { handover, done } = made;
	expect([handover.admits(present), handover.admits(successor)]).toEqual([true, false]);
	handover.begin(successor);
	expect([handover.admits(present), handover.admits(successor), handover.successor]).toEqual([true, true, successor]);
	const waiting = handover.waiting(successor);
	const admitted = handover.admission(successor);
	await waiting;
	expect(await handover.admission(present)).toBe(true);
	const paused = handover.pause(successor);
	made.pauses[0]?.resolve(true);
	expect(await paused).toBe(true);
	handover.answer(successor);
	expect(await admitted).toBe(true);
	// It may lose its connection and identify again.
	expect(await handover.admission(successor)).toBe(true);
	await handover.released(successor);
	const committed = handover.commit(successor);
	expect([handover.state, handover.present]).toEqual(['committing', present]);
	made.saves[0]?.resolve();
	await committed;
	expect([handover.state, handover.present, handover.successor]).toEqual(['none', successor, null]);
	expect([handover.admits(present), await handover.admission(present)]).toEqual([false, false]);
	expect(done).toEqual(['pause', 'released', 'save', 'promote']);
});

it('cannot present the successor while the current process has unconfirmed events', async () => {
	const made = setup();
	await lead.pausing(made);
	made.pauses[0]?.resolve(false);
	await settled();
	expect(made.handover.state).toBe('pausing');
	expect(() => made.handover.answer(successor)).toThrow(/stale handover.present/);
});

it('rejects the held IDENTIFY and every waiting request when it is aborted', async () => {
	const made = setup();
	await lead.waiting(made);
	const admitted = made.handover.admission(successor);
	const paused = made.handover.pause(successor);
	made.handover.abort(successor);
	made.pauses[0]?.resolve(true);
	expect(await admitted).toBe(false);
	await expect(paused).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
	expect([made.handover.state, made.done]).toEqual(['none', ['pause', 'rollBack']]);
	const early = setup();
	early.handover.begin(successor);
	const waiting = early.handover.waiting(successor);
	early.handover.abort(successor);
	await expect(waiting).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
});

it('drops a hand-over that the manager abandoned when the next one begins', async () => {
	const made = setup();
	await lead.presenting(made);
	made.handover.begin(successor + 1);
	expect([made.handover.successor, made.done.at(-1)]).toEqual([successor + 1, 'rollBack']);
	expect(await refusalOf(() => made.handover.begin(successor))).toMatchObject({ code: 'PROTOCOL_ERROR' });
});

it('does not promote a successor when the process stops while its session is being saved', async () => {
	const made = setup();
	await lead.presenting(made);
	const committed = made.handover.commit(successor);
	made.handover.close();
	made.saves[0]?.resolve();
	await expect(committed).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
	expect([made.done.includes('promote'), made.handover.admits(present), await made.handover.admission(present)]).toEqual([
		false,
		false,
		false,
	]);
});

it('keeps a hand-over when the current process is replaced after a crash', async () => {
	const made = setup();
	await lead.waiting(made);
	made.handover.replacePresent(successor + 1);
	expect([present, successor, successor + 1].map((incarnation) => made.handover.admits(incarnation))).toEqual([
		false,
		true,
		true,
	]);
});

it('makes only the transitions of its table, for requests in any order', async () => {
	const step = fc.record({
		name: fc.constantFrom(...Object.keys(requests), 'identify', 'confirm', 'save', 'close') as fc.Arbitrary<string>,
		incarnation: fc.integer({ min: present, max: successor + 2 }),
	});
	await fc.assert(
		fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
			const made = setup();
			for (const { name, incarnation } of steps) {
				const before = made.handover.state;
				if (name === 'identify') void made.handover.admission(incarnation);
				else if (name === 'confirm') made.pauses.at(-1)?.resolve(true);
				else if (name === 'save') made.saves.at(-1)?.resolve();
				else if (name === 'close') made.handover.close();
				else {
					const { ask } = requests[name as keyof typeof requests];
					await Promise.race([refusalOf(() => ask(made, incarnation)), settled()]);
				}
				await settled();
				const after = made.handover.state;
				const reachable = new Set([before]);
				for (const at of reachable) for (const next of handoverTransitions[at]) reachable.add(next);
				expect(reachable.has(after)).toBe(true);
				expect(made.handover.successor !== null).toBe(after !== 'none' && after !== 'closed');
			}
		}),
		{ numRuns: 100 },
	);
});
