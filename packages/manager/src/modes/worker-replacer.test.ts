import { EventEmitter } from 'node:events';
import { ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { WorkerReplacer, type WorkerReplacerOptions } from './worker-replacer.js';

const noAnswer = () => Promise.reject(new ShardctlError('CALL_TIMEOUT', 'no answer'));

/** The parts of a worker that its replacement needs. */
class ScriptedWorker extends EventEmitter {
	readonly id = 0;
	readonly shardIds = [0];
	totalShards = 1;
	readonly label = 'worker 0 (shard 0)';
	readonly version = { canRevert: true };
	readonly name: string;
	readonly did: string[];
	/** What happens after the start of its process. */
	onStart = () => {};
	answer: () => Promise<null> = async () => null;
	restarts = true;
	readonly child = Object.assign(new EventEmitter(), {
		state: 'ready',
		pid: process.pid,
		lastExit: null as object | null,
		start: () => {
			this.did.push(`start ${this.name}`);
			this.onStart();
		},
		stop: async ({ graceMs }: { graceMs?: number } = {}) =>
			void this.did.push(graceMs === 0 ? `kill ${this.name}` : `stop ${this.name}`),
	});

	constructor(name: string, did: string[]) {
		super();
		this.name = name;
		this.did = did;
	}

	request(): Promise<null> {
		return this.answer();
	}

	async restart(): Promise<boolean> {
		this.did.push(`restart ${this.name}`);
		return this.restarts;
	}

	setAside(): void {}

	exit(message: string, stderrTail: string[] = []): void {
		this.child.lastExit = { reason: 'exit-code', message, stderrTail };
		this.child.emit('exited', this.child.lastExit);
	}
}

/** A fleet of one worker. `drained`: whether the old process acknowledges its events. */
function make({ drained = true, served = true } = {}) {
	const did: string[] = [];
	const events: [string, string | undefined][] = [];
	let worker = new ScriptedWorker('old', did);
	const old = worker;
	const successor = new ScriptedWorker('new', did);
	const gateway = {
		request: async (method: string) => {
			if (method === 'worker.drain') did.push('drain');
			if (method === 'handover.present') queueMicrotask(() => successor.child.emit('ready'));
			return method === 'handover.pause' ? { drained } : null;
		},
	};
	const options = {
		options: { clock: fakeClock(), readyTimeoutMs: 60_000 },
		workers: {
			byId: () => worker,
			createStandby: () => successor,
			promote: (promoted: ScriptedWorker) => {
				worker = promoted;
				did.push(`promote ${promoted.name}`);
			},
			dismiss: () => {},
			beginTrial: () => () => {},
		},
		gateways: { of: () => gateway },
		signal: new AbortController().signal,
		incarnationOf: () => 1,
		assignIncarnation: () => 2,
		allowSessions: () => {},
		whyNotServed: async () => (served ? undefined : 'Discord refused the session'),
		emit: (type: string, { reason }: { reason?: string }) => void events.push([type, reason]),
	} as unknown as WorkerReplacerOptions;
	const replacer = new WorkerReplacer(options);
	const asManaged = () => worker as unknown as ManagedWorker;
	return {
		old,
		successor,
		did,
		events,
		replace: () => replacer.replace(asManaged(), { reason: 'asked' }),
		/** All workers are replaced by those of another shard count. */
		changeShards: () =>
			replacer.whileNoneIsReplaced([0], async () => {
				worker = new ScriptedWorker('of other shards', did);
				worker.totalShards = 2;
			}),
		deploy: (first: 'start' | 'stop', stages: string[] = []) =>
			replacer.deploy(asManaged(), { first, signal: new AbortController().signal, onStage: (stage) => stages.push(stage) }),
	};
}

const inUse = ['Error: listen EADDRINUSE: address already in use /run/bot.sock'];

describe('a replacement of a worker', () => {
	it('hands over, and ends the old process after the new one is ready', async () => {
		const { replace, did, events } = make();
		await replace();
		expect(did).toEqual(['start new', 'promote new', 'stop old']);
		expect(events).toEqual([['worker:deployed', undefined]]);
	});

	it('leaves a worker of another shard count alone that has the id by the time of its turn', async () => {
		const { replace, changeShards, did, events } = make();
		const changed = changeShards();
		await Promise.all([changed, replace()]);
		expect([did, events]).toEqual([[], []]);
		await replace();
		expect(did).toEqual(['start new', 'promote new', 'stop of other shards']);
	});

	it('keeps the old process when the new one fails by itself', async () => {
		const { replace, successor, did, events } = make();
		successor.onStart = () => successor.exit('it died');
		await expect(replace()).rejects.toMatchObject({ code: 'WORKER_NOT_READY', message: expect.stringContaining('it died') });
		expect(did).toEqual(['start new', 'kill new']);
		expect(events).toEqual([['worker:rolled-back', expect.stringContaining('so the old one keeps running: it died')]]);
	});

	it('ends the old process first when it holds the port of the new one, and reports no rollback', async () => {
		const { replace, successor, did, events } = make();
		successor.onStart = () => successor.exit('it died', inUse);
		await replace();
		expect(did).toEqual(['start new', 'kill new', 'drain', 'restart old']);
		expect(events).toEqual([['worker:stop-first', expect.stringMatching(/cannot listen on \/run\/bot\.sock.*EADDRINUSE/)]]);
	});

	it('kills an old process that neither acknowledges its events nor responds', async () => {
		const { replace, old, did, events } = make({ drained: false });
		old.answer = noAnswer;
		await replace();
		expect(did).toEqual(['start new', 'kill new', 'kill old', 'start old', 'restart old']);
		expect(events).toEqual([['worker:stop-first', 'the old process neither acknowledges its events nor answers']]);
	});

	it('kills an old process when it stops responding, and keeps one that responds', async () => {
		const { replace, old, did } = make({ drained: false });
		await expect(replace()).rejects.toMatchObject({ code: 'WORKER_NOT_READY' });
		expect(did).toEqual(['start new', 'kill new']);
		let asked = 0;
		old.answer = () => (++asked === 1 ? Promise.resolve(null) : noAnswer());
		await replace();
		expect(did.slice(2)).toEqual(['start new', 'kill new', 'kill old', 'start old', 'restart old']);
	});

	it('fails when Discord does not serve the shards of the new process', async () => {
		const { replace, did } = make({ served: false });
		await expect(replace()).rejects.toMatchObject({
			code: 'WORKER_NOT_READY',
			message: expect.stringContaining('Discord does not serve its shard: Discord refused the session'),
		});
		expect(did).toContain('promote new');
	});

	it('waits for the previous replacement of the same worker', async () => {
		const { replace, did } = make();
		await Promise.all([replace(), replace()]);
		expect(did).toEqual(['start new', 'promote new', 'stop old', 'start new', 'promote new', 'stop new']);
	});
});

describe('a deploy of a worker', () => {
	it('keeps the old process until it is released', async () => {
		const { deploy, did } = make();
		const replacement = await deploy('start');
		expect(did).toEqual(['start new', 'promote new']);
		expect([replacement.wasReady, replacement.isKept]).toEqual([true, true]);
		await replacement.release();
		expect(did).toEqual(['start new', 'promote new', 'stop old']);
	});

	it('switches to ending the old process first when that holds the port', async () => {
		const { deploy, successor, did } = make();
		successor.onStart = () => successor.exit('it died', inUse);
		const stages: string[] = [];
		const replacement = await deploy('start', stages);
		expect(did).toEqual(['start new', 'kill new', 'drain', 'restart old']);
		expect(stages.at(-1)).toMatch(/EADDRINUSE\): waiting for the old process to end and the new one to be ready/);
		expect(replacement.isKept).toBe(false);
	});

	it('that ends the old process first reports a new one that does not become ready', async () => {
		const { deploy, old } = make();
		old.restarts = false;
		old.child.lastExit = { message: 'it died' };
		const failures: string[] = [];
		(await deploy('stop')).watch({ onFailure: (reason) => failures.push(reason), onError: () => {} });
		expect(failures).toEqual(['worker 0 (shard 0) did not become ready again: it died']);
	});

	it('delays the next replacement until it is over', async () => {
		const { deploy, replace, did } = make();
		const replacement = await deploy('start');
		const next = replace();
		await new Promise((resolve) => setImmediate(resolve));
		expect(did).toEqual(['start new', 'promote new']);
		await replacement.release();
		await next;
		expect(did.slice(0, 4)).toEqual(['start new', 'promote new', 'stop old', 'start new']);
	});
});
