import { EventEmitter } from 'node:events';
import { type Deferred, deferred, ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { HandOver, type HandOverWorker } from './hand-over.js';
import { type HandOverEvent, type HandOverState, handOverTransitions } from './hand-over-state.js';

const timeoutMs = 60_000;
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A process of a worker whose end the test controls. */
class FakeWorker extends EventEmitter {
	readonly id = 3;
	readonly shardIds = [6, 7];
	readonly label = 'worker 3 (shards 6-7)';
	readonly child = Object.assign(new EventEmitter(), {
		state: 'planned',
		lastExit: null as { reason: string; message: string } | null,
		start: () => void this.log.push(`${this.name} starts`),
		stop: ({ graceMs }: { graceMs?: number } = {}) => {
			this.log.push(`${this.name} stops${graceMs === 0 ? ' at once' : ''}`);
			return this.gone.promise;
		},
	});
	readonly gone = deferred();
	readonly name: string;
	readonly log: string[];

	constructor(name: string, log: string[]) {
		super();
		this.name = name;
		this.log = log;
	}

	exit(message: string): void {
		this.child.lastExit = { reason: 'exit-code', message };
		this.child.emit('exited', this.child.lastExit);
	}

	get listenerTotal(): number {
		const { child } = this;
		return [
			...['ready', 'exited', 'failed'].map((event) => child.listenerCount(event)),
			this.listenerCount('shard.status'),
		].reduce((sum, count) => sum + count);
	}
}

/** A hand-over whose steps the test controls. */
function begin() {
	const log: string[] = [];
	const clock = fakeClock();
	const stop = new AbortController();
	const old = new FakeWorker('old', log);
	const successor = new FakeWorker('successor', log);
	const pending = new Map<string, Deferred<unknown>>();
	const request = (method: string, params: unknown, { signal }: { signal: AbortSignal }) => {
		const answer = deferred<unknown>();
		log.push(method);
		expect(params).toEqual({ incarnation: 9, shardIds: [6, 7] });
		signal.addEventListener('abort', () => answer.reject(new ShardctlError('CALL_CANCELLED', 'cancelled')));
		pending.set(method, answer);
		return answer.promise;
	};
	const handOver = new HandOver({
		gateway: { request } as never,
		old: old as unknown as HandOverWorker,
		successor: successor as unknown as HandOverWorker,
		incarnation: 9,
		timeoutMs,
		clock,
		signal: stop.signal,
		onTakeOver: () => log.push('taken over'),
	});
	let outcome = 'pending';
	handOver.run().then(
		() => {
			outcome = 'done';
		},
		(error: Error) => {
			outcome = error.message;
		},
	);
	return {
		handOver,
		log,
		clock,
		old,
		successor,
		stop: () => stop.abort(new Error('the manager was stopped')),
		answer: async (method: string, value: unknown = null) => {
			pending.get(method)?.resolve(value);
			await settled();
		},
		refuse: async (method: string) => {
			pending.get(method)?.reject(new Error('the gateway process ended'));
			await settled();
		},
		outcome: () => outcome,
	};
}
type Run = ReturnType<typeof begin>;

/** What takes a hand-over from each state to the next, in the order of a successful one. */
const path: [HandOverState, (run: Run) => Promise<void> | void][] = [
	['announcing', ({ answer }) => answer('handover.begin')],
	['booting', ({ answer }) => answer('handover.waiting')],
	['pausing', ({ answer }) => answer('handover.pause', { drained: true })],
	['presenting', ({ successor }) => void successor.child.emit('ready')],
	['releasing', ({ answer }) => answer('handover.released')],
	['committing', ({ answer }) => answer('handover.commit')],
	[
		'retiring',
		async ({ old }) => {
			old.gone.resolve();
			await settled();
		},
	],
];
const before = path.slice(0, 4).map(([state]) => state);
const after = path.slice(4).map(([state]) => state);

async function reach(state: HandOverState): Promise<Run> {
	const run = begin();
	for (const [from, step] of path) {
		expect(run.handOver.state).toBe(from);
		if (from === state) break;
		await step(run);
	}
	return run;
}

async function finishAbort(run: Run): Promise<void> {
	expect(run.handOver.state).toBe('aborting');
	await run.answer('handover.abort');
	run.successor.gone.resolve();
	await settled();
}

it('takes its steps in order, each after the response to the one before', async () => {
	const run = await reach('retiring');
	expect(run.outcome()).toBe('pending');
	run.old.gone.resolve();
	await settled();
	expect(run.outcome()).toBe('done');
	expect(run.log).toEqual([
		'handover.begin',
		'handover.waiting',
		'successor starts',
		'handover.pause',
		'handover.present',
		'taken over',
		'old stops',
		'handover.released',
		'handover.commit',
	]);
	expect(run.clock.pendingTimers()).toBe(0);
	expect(run.successor.listenerTotal).toBe(0);
});

/** What can end a hand-over before the successor is ready. */
const failures: Record<string, { act(run: Run): Promise<void> | void; reason: string }> = {
	'the successor exits': { act: ({ successor }) => successor.exit('exited with code 1'), reason: 'exited with code 1' },
	'the successor cannot be started': {
		act: ({ successor }) => void successor.child.emit('failed', { reason: 'no memory' }),
		reason: 'no memory',
	},
	'a shard of the successor is closed for good': {
		act: ({ successor }) => void successor.emit('shard.status', { shardId: 6, status: 'disconnected', closeCode: 4014 }),
		reason: 'shard 6 was closed with 4014: a privileged intent',
	},
	'the manager stops': { act: ({ stop }) => stop(), reason: 'the manager was stopped' },
	'nothing happens in time': { act: ({ clock }) => clock.advance(timeoutMs), reason: '60 s' },
};
const failuresByState = before.flatMap((state) => Object.keys(failures).map((failure) => [state, failure] as const));

describe('before the take-over', () => {
	it.each(failuresByState)('in %s, when %s, it is rolled back and the old process keeps running', async (state, failure) => {
		const { act, reason } = failures[failure] as (typeof failures)[string];
		const run = await reach(state);
		await act(run);
		await finishAbort(run);
		expect(run.handOver.state).toBe('rolled-back');
		expect(run.outcome()).toMatch(
			/^the new process of worker 3 \(shards 6-7\) did not take over, so the old one keeps running: /,
		);
		expect(run.outcome()).toContain(reason);
		expect(run.log.slice(-2)).toEqual(['handover.abort', 'successor stops at once']);
		expect(run.log).not.toContain('old stops');
		expect(run.clock.pendingTimers()).toBe(0);
		expect(run.successor.listenerTotal).toBe(0);
	});

	it.each(['handover.begin', 'handover.waiting', 'handover.pause', 'handover.present'])(
		'a gateway process that does not respond to %s ends it',
		async (method) => {
			const run = await reach(before[['begin', 'waiting', 'pause', 'present'].indexOf(method.slice(9))] as HandOverState);
			await run.refuse(method);
			await finishAbort(run);
			expect(run.outcome()).toContain('the gateway process ended');
		},
	);

	it('an old process that does not acknowledge its events ends it', async () => {
		const run = await reach('pausing');
		await run.answer('handover.pause', { drained: false });
		await finishAbort(run);
		expect(run.outcome()).toContain('the old process did not acknowledge its events in time');
	});

	it('the first reason counts, and a gateway process that never answers the abort delays nothing', async () => {
		const run = await reach('booting');
		run.successor.child.emit('failed', { reason: 'no memory' });
		run.successor.child.emit('failed', { reason: 'a later one' });
		await run.clock.advance(timeoutMs);
		run.successor.gone.resolve();
		await settled();
		expect(run.outcome()).toContain('no memory');
	});

	it('an early ready of the successor counts once it is presented', async () => {
		const run = await reach('pausing');
		run.successor.child.state = 'ready';
		run.successor.child.emit('ready');
		expect(run.handOver.state).toBe('pausing');
		await run.answer('handover.pause', { drained: true });
		expect(run.handOver.state).toBe('releasing');
	});
});

describe('after the take-over', () => {
	it.each(after.flatMap((state) => Object.keys(failures).map((failure) => [state, failure] as const)))(
		'in %s, when %s, it goes through to the end',
		async (state, failure) => {
			const run = await reach(state);
			await failures[failure]?.act(run);
			for (const [from, step] of path) if (from === run.handOver.state) await step(run);
			expect(run.handOver.state).toBe('done');
			expect(run.outcome()).toBe('done');
		},
	);

	it('an old process that exits without a report, as with its gateway process, is enough to commit', async () => {
		const run = await reach('releasing');
		await run.refuse('handover.released');
		expect(run.handOver.state).toBe('releasing');
		run.old.gone.resolve();
		await settled();
		expect(run.handOver.state).toBe('committing');
		await run.refuse('handover.commit');
		expect(run.outcome()).toBe('done');
	});
});

describe('the table', () => {
	const states = Object.keys(handOverTransitions) as HandOverState[];
	const canFollow = (state: HandOverState) => Object.entries(handOverTransitions[state]) as [HandOverEvent, HandOverState][];

	it('has a failure in each state before the take-over, and in none after it', () => {
		expect(states.filter((state) => handOverTransitions[state].failed)).toEqual(before);
	});

	it('reaches every state, and ends in done or rolled-back only', () => {
		const reached = new Set<HandOverState>(['planned']);
		for (const state of reached) for (const [, next] of canFollow(state)) reached.add(next);
		expect([...reached].sort()).toEqual([...states].sort());
		expect(states.filter((state) => canFollow(state).length === 0)).toEqual(['done', 'rolled-back']);
	});
});
