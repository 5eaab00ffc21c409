import { ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import type { DeployReplaceOptions } from '../modes/session-mode.js';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { Deploy, type DeployedReplacement, type DeployState, deployTransitions } from './deploy.js';
import { type DeployOptions, readDeployOptions } from './deploy-options.js';

/** The outcome of a worker, by a script. */
class ScriptedReplacement implements DeployedReplacement {
	readonly worker: ManagedWorker;
	readonly #did: string[];
	wasReady = true;
	undone: Awaited<ReturnType<DeployedReplacement['undo']>> = 'resumed';
	/** Rejects `undo`. */
	stuck = false;
	fail: (reason: string) => void = () => {};
	logError: () => void = () => {};

	constructor(worker: ManagedWorker, did: string[]) {
		this.worker = worker;
		this.#did = did;
	}

	watch({ onFailure, onError }: Parameters<DeployedReplacement['watch']>[0]): void {
		this.fail = onFailure;
		this.logError = () => onError('Error: no');
	}

	async prove(): Promise<void> {}

	async release(): Promise<void> {
		this.#did.push(`release ${this.worker.id}`);
	}

	async undo() {
		this.#did.push(`undo ${this.worker.id}`);
		if (this.stuck) throw new ShardctlError('WORKER_NOT_READY', `worker ${this.worker.id} could not be brought back: it is gone`);
		return this.undone;
	}
}

function makeDeploy(options: DeployOptions = {}, { workers: count = 4, hasMemory = true } = {}) {
	const clock = fakeClock();
	const stop = new AbortController();
	const did: string[] = [];
	const replacements: ScriptedReplacement[] = [];
	const states: DeployState[] = [];
	const workers = Array.from({ length: count }, (_, id) => ({ id, shardIds: [id], label: `worker ${id} (shard ${id})` }));
	const pending = new Map<number, { resolve(): void; reject(error: unknown): void; how: DeployReplaceOptions }>();
	const deploy = new Deploy({
		id: 1,
		options: readDeployOptions(options),
		clock,
		signal: stop.signal,
		silenceMs: 10_000,
		workers: () => workers as unknown as ManagedWorker[],
		replace: (worker, how) => {
			did.push(`replace ${worker.id}`);
			return new Promise((resolve, reject) => {
				how.signal.addEventListener('abort', () => reject(how.signal.reason), { once: true });
				pending.set(worker.id, {
					how,
					reject,
					resolve: () => {
						const replacement = new ScriptedReplacement(worker, did);
						replacements.push(replacement);
						resolve(replacement);
					},
				});
			});
		},
		hasMemory: () => hasMemory,
		onChange: ({ state }) => {
			if (states.at(-1) !== state) states.push(state);
		},
	});
	/** The new process of this worker takes over. */
	const takeOver = async (...ids: number[]) => {
		for (const id of ids) {
			await expect.poll(() => pending.has(id)).toBe(true);
			pending.get(id)?.resolve();
			pending.delete(id);
			await clock.advance(0);
		}
	};
	const outcome = () =>
		deploy.outcome.then(
			() => null,
			(error: unknown) => error as ShardctlError,
		);
	return { deploy, clock, stop, did, replacements, states, pending, takeOver, outcome };
}

const observed = 10_000;

describe('a deploy', () => {
	it('replaces one worker after the other, watches each, and then ends the old processes', async () => {
		const { deploy, clock, did, takeOver, outcome, states } = makeDeploy({}, { workers: 2 });
		void deploy.run();
		await takeOver(0);
		await clock.advance(observed - 1);
		expect(did).toEqual(['replace 0']);
		await clock.advance(1);
		expect(deploy.stats()).toMatchObject({ state: 'replacing', done: 1, total: 2, error: null });
		await takeOver(1);
		await clock.advance(observed);
		expect(await outcome()).toBeNull();
		expect(did).toEqual(['replace 0', 'replace 1', 'release 0', 'release 1']);
		expect(states).toEqual(['replacing', 'finishing', 'deployed']);
		expect(deploy.stats()).toMatchObject({ state: 'deployed', done: 2, tookMs: 2 * observed, stageMs: 0 });
	});

	it('replaces several at once, and when one fails waits for the others and rolls all back', async () => {
		const { deploy, clock, did, replacements, takeOver, outcome } = makeDeploy({ parallel: 2 });
		void deploy.run();
		await takeOver(0, 1);
		expect(did).toEqual(['replace 0', 'replace 1']);
		await clock.advance(500);
		replacements[1]?.fail('it died');
		const error = await outcome();
		expect(error).toMatchObject({
			code: 'WORKER_NOT_READY',
			details: { rolledBack: 2, keptNew: 0, notBroughtBack: 0, deployId: 1 },
		});
		expect(error?.message).toBe(
			'the new process of worker 1 (shard 1) failed 0.5 s after it took over: it died; the old version runs again in 2 workers; ' +
				'2 of 4 workers were left unchanged',
		);
		expect(did).toEqual(['replace 0', 'replace 1', 'undo 0', 'undo 1']);
		expect(deploy.state).toBe('failed');
	});

	it('cancels those of a batch that have not taken over when one fails', async () => {
		const { deploy, clock, did, replacements, takeOver, outcome } = makeDeploy({ parallel: 3 });
		void deploy.run();
		await takeOver(1);
		await clock.advance(500);
		replacements[0]?.fail('it died');
		expect((await outcome())?.message).toMatch(/the old version runs again in 1 worker; 3 of 4 workers were left unchanged$/);
		expect(did).toEqual(['replace 0', 'replace 1', 'replace 2', 'undo 1']);
	});

	it('stops for a worker that was replaced before, while another is watched', async () => {
		const { deploy, clock, did, replacements, takeOver, outcome } = makeDeploy();
		void deploy.run();
		await takeOver(0);
		await clock.advance(observed);
		await takeOver(1);
		replacements[0]?.fail('it died later');
		expect((await outcome())?.message).toMatch(
			/^the new process of worker 0 .* failed 10\.0 s after it took over: it died later; the old version runs again in 2 workers/,
		);
		expect(did.slice(-2)).toEqual(['undo 0', 'undo 1']);
	});

	it('bakes the canary before the others follow', async () => {
		const { deploy, clock, did, takeOver, outcome, states } = makeDeploy(
			{ canary: 1, bakeMs: 60_000, observeMs: 0 },
			{ workers: 2 },
		);
		void deploy.run();
		await takeOver(0);
		expect(deploy.stats()).toMatchObject({ state: 'baking', stage: 'watching the first worker before the others follow' });
		await clock.advance(59_999);
		expect(did).toEqual(['replace 0']);
		await clock.advance(1);
		await takeOver(1);
		expect(await outcome()).toBeNull();
		expect(states).toEqual(['replacing', 'baking', 'replacing', 'finishing', 'deployed']);
	});

	it('bakes a canary of all workers as well', async () => {
		const { deploy, clock, takeOver, outcome, states } = makeDeploy({ canary: 9, bakeMs: 1000, observeMs: 0 }, { workers: 1 });
		void deploy.run();
		await takeOver(0);
		expect(states).toEqual(['replacing', 'baking']);
		await clock.advance(1000);
		expect(await outcome()).toBeNull();
	});

	it('rolls back when the canary fails while it bakes', async () => {
		const { deploy, clock, did, replacements, takeOver, outcome } = makeDeploy({ canary: 1, observeMs: 0 });
		void deploy.run();
		await takeOver(0);
		await clock.advance(60_000);
		replacements[0]?.fail('it died');
		expect((await outcome())?.message).toMatch(
			/failed 60\.0 s after it took over: it died; the old version runs again in 1 worker; 3 of 4/,
		);
		expect(did).toEqual(['replace 0', 'undo 0']);
	});

	it('stops when one process logs more errors a minute than the limit', async () => {
		const { deploy, clock, replacements, takeOver, outcome } = makeDeploy({ maxErrorRate: 2 });
		void deploy.run();
		await takeOver(0);
		replacements[0]?.logError();
		replacements[0]?.logError();
		await clock.advance(500);
		expect(deploy.state).toBe('replacing');
		replacements[0]?.logError();
		expect((await outcome())?.message).toContain('it logged more than 2 errors a minute, the last one: Error: no;');
	});

	it('ends unneeded old processes when memory is low, and reports the effect on a rollback', async () => {
		const { deploy, clock, did, replacements, takeOver, outcome } = makeDeploy({}, { hasMemory: false });
		void deploy.run();
		await takeOver(0);
		await clock.advance(observed);
		expect(did).toContain('release 0');
		await takeOver(1);
		replacements[1]?.fail('it died');
		expect((await outcome())?.message).toMatch(
			/runs again in 1 worker; 1 worker keeps the new version, because the old process had ended; 2 of 4 workers/,
		);
	});

	it('reports which workers could not be rolled back, and which were started again from the same path', async () => {
		const { deploy, replacements, takeOver, outcome } = makeDeploy({ parallel: 3 });
		void deploy.run();
		await takeOver(0, 1, 2);
		Object.assign(replacements[0] as ScriptedReplacement, { stuck: true });
		Object.assign(replacements[1] as ScriptedReplacement, { undone: 'same-path', wasReady: false });
		Object.assign(replacements[2] as ScriptedReplacement, { undone: 'restarted' });
		replacements[1]?.fail('it died');
		const error = await outcome();
		expect(error?.message).toBe(
			'the new process of worker 1 (shard 1) did not become ready: it died; worker 0 could not be brought back: it is gone; ' +
				'the old version runs again in 1 worker; 1 worker was started again from the same path, because the old process had to end ' +
				'first; 1 of 4 workers were left unchanged',
		);
		expect(error?.details).toMatchObject({ rolledBack: 1, startedAgain: 1, notBroughtBack: 1 });
	});
});

describe('a cancelled deploy', () => {
	it('before its turn changes nothing', async () => {
		const { deploy, did, outcome } = makeDeploy();
		deploy.callOff('the deploy was called off');
		expect(await outcome()).toMatchObject({
			code: 'CALL_CANCELLED',
			message: 'the deploy was called off before it began; nothing was changed',
		});
		await deploy.run();
		expect(did).toEqual([]);
	});

	it('while a process boots cancels that', async () => {
		const { deploy, did, outcome, pending } = makeDeploy();
		void deploy.run();
		await expect.poll(() => pending.has(0)).toBe(true);
		deploy.callOff('the deploy was called off');
		expect((await outcome())?.message).toBe('the deploy was called off; 4 of 4 workers were left unchanged');
		expect(did).toEqual(['replace 0']);
		expect(deploy.state).toBe('called-off');
	});

	it.each([
		['while it watches', {}],
		['while the canary bakes', { canary: 1, observeMs: 0 }],
	])('%s rolls back', async (_, options) => {
		const { deploy, clock, did, takeOver, outcome } = makeDeploy(options);
		void deploy.run();
		await takeOver(0);
		await clock.advance(100);
		deploy.callOff('the deploy was called off');
		expect((await outcome())?.message).toBe(
			'the deploy was called off; the old version runs again in 1 worker; 3 of 4 workers were left unchanged',
		);
		expect(did).toEqual(['replace 0', 'undo 0']);
	});

	it('that already rolls back counts as failed', async () => {
		const { deploy, clock, replacements, takeOver, outcome } = makeDeploy();
		void deploy.run();
		await takeOver(0);
		await clock.advance(100);
		replacements[0]?.fail('it died');
		deploy.callOff('the deploy was called off');
		await outcome();
		// The failure happened first.
		expect((await outcome())?.code).toBe('WORKER_NOT_READY');
	});

	it('ends without a rollback when the manager stops', async () => {
		const { deploy, stop, did, takeOver, outcome } = makeDeploy();
		void deploy.run();
		await takeOver(0);
		stop.abort(new ShardctlError('MANAGER_STOPPED', 'the manager was stopped'));
		expect(await outcome()).toMatchObject({ code: 'MANAGER_STOPPED' });
		expect(did).toEqual(['replace 0']);
	});
});

it('ends in three states, and every other state leads to one', () => {
	const ends = Object.entries(deployTransitions).filter(([, next]) => next.length === 0);
	expect(ends.map(([state]) => state)).toEqual(['deployed', 'failed', 'called-off']);
});
