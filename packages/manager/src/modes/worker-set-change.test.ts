import { EventEmitter } from 'node:events';
import { type Deferred, deferred, ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { type ChangingWorker, WorkerSetChange, type WorkerSetChangeState } from './worker-set-change.js';

const settled = async () => {
	for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
};

class FakeWorker extends EventEmitter {
	readonly label: string;
	readonly shardIds: number[];
	readonly gone = deferred();
	readonly child = Object.assign(new EventEmitter(), {
		state: 'planned',
		lastExit: null,
		start: () => void this.log.push(`${this.label} starts`),
		stop: ({ graceMs }: { graceMs?: number } = {}) => {
			this.log.push(`${this.label} stops${graceMs === 0 ? ' at once' : ''}`);
			return this.gone.promise;
		},
	});
	readonly log: string[];

	constructor(label: string, shardIds: number[], log: string[]) {
		super();
		this.label = label;
		this.shardIds = shardIds;
		this.log = log;
	}
}

class FakeGateway {
	readonly label: string;
	readonly child = new EventEmitter();
	readonly pending = new Map<string, Deferred<unknown>>();
	readonly asked: [string, unknown][] = [];
	readonly timeouts = new Map<string, number | undefined>();
	restarts = 0;

	constructor(label: string) {
		this.label = label;
	}

	request = (method: string, params: unknown, { signal, timeoutMs }: { signal?: AbortSignal; timeoutMs?: number }) => {
		this.timeouts.set(method, timeoutMs);
		const answer = deferred<unknown>();
		this.asked.push([method, params]);
		this.pending.set(method, answer);
		signal?.addEventListener('abort', () => answer.reject(new ShardctlError('CALL_CANCELLED', 'cancelled')));
		answer.promise.catch(() => {});
		return answer.promise as never;
	};

	restart = async () => {
		this.restarts++;
		return true;
	};

	answer(method: string, value: unknown = null): void {
		this.pending.get(method)?.resolve(value);
	}

	refuse(method: string, code: ConstructorParameters<typeof ShardctlError>[0], message = 'refused'): void {
		const details = { reason: message };
		this.pending.get(method)?.reject(new ShardctlError(code, `the shards were not replaced: ${message}`, { details }));
	}
}

/** Two gateway processes with a worker each, which are to have two workers each. */
function begin({ onDecided = () => {}, guilds = 0 } = {}) {
	const log: string[] = [];
	const states: WorkerSetChangeState[] = [];
	const clock = fakeClock();
	const [off, stop] = [new AbortController(), new AbortController()];
	const gateways = [0, 1].map((id) => new FakeGateway(`gateway process ${id}`));
	const present = [0, 1].map((id) => new FakeWorker(`present ${id}`, [id], log));
	const next = [0, 1, 2, 3].map((id) => new FakeWorker(`worker ${id}`, [id], log));
	const layout = { generation: 3, totalShards: 4, sessions: 2 };
	const places = gateways.map((gateway, id) => ({
		gateway,
		shardIds: [id, id + 2],
		present: [present[id] as unknown as ChangingWorker],
		next: [id, id + 2].map((index) => ({ worker: next[index] as unknown as ChangingWorker, incarnation: 10 + index })),
	}));
	let decisions = 0;
	const change = new WorkerSetChange<ChangingWorker>({
		gateways: places as never,
		layout,
		clock,
		signal: off.signal,
		stopped: stop.signal,
		onState: (state) => states.push(state),
		onDecided: () => {
			decisions++;
			onDecided();
		},
	});
	const outcome = change.run();
	outcome.catch(() => {});
	const all = (method: string, value?: unknown) => {
		for (const gateway of gateways) gateway.answer(method, value);
		return settled();
	};
	/** Everything happens as it should, up to a state. */
	const reach = async (state: WorkerSetChangeState) => {
		const steps: [WorkerSetChangeState, () => unknown][] = [
			['announcing', () => all('shards.begin', { guilds })],
			['booting', () => next.map((worker) => worker.emit('booted'))],
			['cutting', () => all('shards.cut')],
			['presenting', () => next.map(({ child }) => child.emit('ready'))],
			['sealing', () => all('shards.seal')],
			['releasing', () => all('shards.released')],
		];
		await settled();
		for (const [each, act] of steps) {
			if (each === state) return;
			expect(change.state).toBe(each);
			await act();
			await settled();
		}
	};
	const drop = async () => {
		await settled();
		for (const gateway of gateways) gateway.answer('shards.drop');
		for (const worker of next) worker.gone.resolve();
	};
	return {
		change,
		clock,
		outcome,
		log,
		states,
		gateways,
		present,
		next,
		off,
		stop,
		all,
		reach,
		drop,
		decisions: () => decisions,
	};
}

it('replaces the workers in order, and ends the present ones only after the decision', async () => {
	const { outcome, reach, gateways, present, log, all, decisions, states } = begin();
	await reach('sealing');
	expect([decisions(), log.filter((line) => line.includes('stops'))]).toEqual([0, []]);
	expect(gateways[1]?.asked[0]).toEqual([
		'shards.begin',
		{
			layout: { generation: 3, totalShards: 4, sessions: 2 },
			shardIds: [1, 3],
			workers: [
				{ incarnation: 11, shardIds: [1] },
				{ incarnation: 13, shardIds: [3] },
			],
		},
	]);
	await all('shards.seal');
	expect([decisions(), log.slice(-2)]).toEqual([1, ['present 0 stops', 'present 1 stops']]);
	await all('shards.released');
	gateways[0]?.answer('shards.commit', { pausedMs: 40, held: 2 });
	gateways[1]?.answer('shards.commit', { pausedMs: 90, held: 3 });
	for (const worker of present) worker.gone.resolve();
	expect(await outcome).toEqual({ pausedMs: 90, held: 5 });
	expect(states).toEqual(['announcing', 'booting', 'cutting', 'presenting', 'sealing', 'releasing', 'committing', 'done']);
});

const before = ['announcing', 'booting', 'cutting', 'presenting', 'sealing'] as const;
const faults: [string, (fleet: ReturnType<typeof begin>) => void, RegExp][] = [
	['a new worker ends', ({ next }) => next[2]?.child.emit('exited', { message: 'killed' }), /the new worker 2 ended: killed/],
	['a new worker is given up', ({ next }) => next[1]?.child.emit('failed', { reason: 'no file' }), /was given up: no file/],
	[
		'Discord refuses a new worker',
		({ next }) => next[1]?.emit('shard.status', { shardId: 1, status: 'disconnected', closeCode: 4014 }),
		/shard 1 of the new worker 1 was closed with 4014.*; deploy a version that requests more intents before/,
	],
	[
		'a gateway process dies',
		({ gateways }) => gateways[1]?.child.emit('exited', { message: 'gone' }),
		/gateway process 1 ended: gone/,
	],
	['it is called off', ({ off }) => off.abort(new Error('it was called off')), /it was called off/],
];

it.each(before.flatMap((state) => faults.map(([what, act, reason]) => ({ state, what, act, reason }))))(
	'keeps the present workers when $what while $state',
	async ({ state, act, reason }) => {
		const fleet = begin();
		await fleet.reach(state);
		act(fleet);
		await fleet.drop();
		await expect(fleet.outcome).rejects.toMatchObject({ code: 'RESHARD_FAILED', message: expect.stringMatching(reason) });
		expect([fleet.decisions(), fleet.change.state]).toEqual([0, 'dropped']);
		expect(fleet.log.filter((line) => line.includes('stops')).sort()).toEqual(
			fleet.next.map(({ label }) => `${label} stops at once`),
		);
		for (const { asked } of fleet.gateways) expect(asked.at(-1)).toEqual(['shards.drop', { generation: 3 }]);
	},
);

it.each(['shards.begin', 'shards.cut', 'shards.seal'] as const)(
	'keeps the present workers when %s is refused',
	async (method) => {
		const fleet = begin();
		await fleet.reach(({ 'shards.begin': 'announcing', 'shards.cut': 'cutting', 'shards.seal': 'sealing' } as const)[method]);
		fleet.gateways[0]?.answer(method);
		fleet.gateways[1]?.refuse(method, 'RESHARD_FAILED', 'not now');
		await fleet.drop();
		await expect(fleet.outcome).rejects.toMatchObject({
			code: 'RESHARD_FAILED',
			message: 'the workers were not replaced, and the present ones keep running: not now; no event was lost',
		});
		expect(fleet.decisions()).toBe(0);
	},
);

it('names the reason of a gateway process that had dropped the new shards, whose workers were closed after that', async () => {
	const fleet = begin();
	await fleet.reach('presenting');
	fleet.next[1]?.emit('shard.status', { shardId: 1, status: 'disconnected', closeCode: 4010 });
	await settled();
	fleet.gateways[1]?.answer('shards.drop', { reason: 'more events arrived than fit' });
	await fleet.drop();
	await expect(fleet.outcome).rejects.toMatchObject({
		code: 'RESHARD_FAILED',
		details: { reason: 'gateway process 1: more events arrived than fit' },
	});
});

function tooLong(who: string, seconds: number): string {
	const remedy = 'repeat it when the machine has less to do, or stop the fleet and start it with --shards 4';
	return `events would have waited too long for ${who}, which took more than ${seconds} s; ${remedy}`;
}

it.each([
	['shards.cut', 'cutting'],
	['shards.seal', 'sealing'],
] as const)(
	'limits for how long the others wait for a gateway process that does not answer %s, and names it',
	async (step, state) => {
		const fleet = begin();
		await fleet.reach(state);
		expect(fleet.gateways.map(({ timeouts }) => timeouts.get(step))).toEqual([10_000, 10_000]);
		fleet.gateways[0]?.answer(step);
		fleet.gateways[1]?.refuse(step, 'CALL_TIMEOUT', 'no answer in time');
		await fleet.drop();
		await expect(fleet.outcome).rejects.toMatchObject({
			code: 'RESHARD_FAILED',
			details: { reason: tooLong('gateway process 1', 10) },
		});
		expect(fleet.decisions()).toBe(0);
	},
);

it.each([
	[0, 10],
	[20_000, 90],
	[1_000_000, 120],
])(
	'limits for how long events wait for a worker, with %i guilds for each gateway process to %i s, and names it',
	async (guilds, limit) => {
		const fleet = begin({ guilds });
		await fleet.reach('presenting');
		for (const { child } of fleet.next.slice(1)) child.emit('ready');
		await fleet.clock.advance((limit - 1) * 1000);
		expect(fleet.change.state).toBe('presenting');
		await fleet.clock.advance(1000);
		await fleet.drop();
		await expect(fleet.outcome).rejects.toMatchObject({
			code: 'RESHARD_FAILED',
			details: { reason: tooLong('the new worker 0', limit) },
		});
		expect([fleet.decisions(), fleet.clock.pendingTimers()]).toEqual([0, 0]);
	},
);

it('lets gateway processes wait for longer than all of its own limits together, which name who was slow', async () => {
	const fleet = begin({ guilds: 20_000 });
	await fleet.reach('sealing');
	for (const { asked, timeouts } of fleet.gateways) {
		expect(asked.find(([method]) => method === 'shards.cut')).toEqual(['shards.cut', { generation: 3, sealedWithinMs: 280_000 }]);
		expect([timeouts.get('shards.cut'), timeouts.get('shards.seal')]).toEqual([90_000, 90_000]);
	}
});

it('keeps the present workers where the decision cannot be written down', async () => {
	const fleet = begin({
		onDecided: () => {
			throw new Error('the disk is full');
		},
	});
	await fleet.reach('sealing');
	await fleet.all('shards.seal');
	await fleet.drop();
	await expect(fleet.outcome).rejects.toMatchObject({
		code: 'RESHARD_FAILED',
		message: expect.stringMatching(/the disk is full/),
	});
	expect(fleet.log).not.toContain('present 0 stops');
});

it('continues after the decision whatever ends: the next gateway process starts with the new shards', async () => {
	const fleet = begin();
	await fleet.reach('releasing');
	fleet.off.abort(new Error('too late'));
	fleet.next[0]?.child.emit('exited', { message: 'killed' });
	fleet.gateways[0]?.child.emit('exited', { message: 'killed' });
	fleet.gateways[0]?.refuse('shards.released', 'CHANNEL_CLOSED');
	fleet.gateways[1]?.answer('shards.released');
	for (const worker of fleet.present) worker.gone.resolve();
	await settled();
	fleet.gateways[0]?.refuse('shards.commit', 'WORKER_UNAVAILABLE');
	fleet.gateways[1]?.answer('shards.commit', { pausedMs: 5, held: 1 });
	expect(await fleet.outcome).toEqual({ pausedMs: 5, held: 1 });
	expect(fleet.gateways.map(({ restarts }) => restarts)).toEqual([0, 0]);
});

it('starts a gateway process again that cannot continue to the new shards', async () => {
	const fleet = begin();
	await fleet.reach('releasing');
	await fleet.all('shards.released');
	fleet.gateways[0]?.refuse('shards.commit', 'PROTOCOL_ERROR');
	fleet.gateways[1]?.answer('shards.commit', { pausedMs: 5, held: 1 });
	for (const worker of fleet.present) worker.gone.resolve();
	await fleet.outcome;
	expect(fleet.gateways.map(({ restarts }) => restarts)).toEqual([1, 0]);
});

it('does not begin where it is called off already, and leaves no listener behind', async () => {
	const fleet = begin();
	fleet.off.abort(new Error('stopped'));
	await fleet.drop();
	await expect(fleet.outcome).rejects.toMatchObject({ code: 'RESHARD_FAILED' });
	for (const { child } of fleet.gateways) expect(child.listenerCount('exited')).toBe(0);
	for (const worker of fleet.next) {
		expect(['exited', 'failed'].map((event) => worker.child.listenerCount(event))).toEqual([0, 0]);
		expect(worker.listenerCount('shard.status')).toBe(0);
	}
});
