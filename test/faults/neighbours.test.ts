// What one bad worker may cost: itself. Neighbours keep their processes and their sessions, whatever happens to it.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { type Fleet, startFleet } from './fleet.js';

it('a worker that crashes in every way is replaced each time, and its neighbours never notice', async () => {
	const fleet = await startFleet({ simulator: { shards: 3 }, manager: { respawn: { initialDelayMs: 10, maxRestarts: 100 } } });
	const neighbours = [fleet.pidOf(0), fleet.pidOf(2)];
	const sessions = () =>
		fleet.simulator
			.state()
			.sessions.filter(({ shardId }) => shardId !== 1)
			.map(({ sessionId }) => sessionId);
	const before = sessions();
	expect(before).toHaveLength(2);
	const ways: readonly [string, RegExp, number | string][] = [
		['process.exit(0)', /exit code 0|by itself|clean/i, 'clean'],
		['process.exit(7)', /exit code 7/, 'exit-code'],
		['setImmediate(() => { throw new TypeError("oh no") })', /TypeError: oh no/, 'uncaught-exception'],
		['process.kill(process.pid, "SIGKILL")', /SIGKILL/, 'signal'],
		['process.abort()', /SIGABRT/, 'signal'],
	];
	for (const [script, message, reason] of ways) {
		const { child } = fleet.manager.workers[1] as Fleet['manager']['workers'][number];
		const { epoch } = child;
		fleet.manager.broadcastEval(script, { shard: 1 }).catch(() => {});
		await waitFor('the next incarnation', () => child.epoch === epoch + 1);
		expect(child.lastExit).toMatchObject({ reason, message: expect.stringMatching(message) });
		await fleet.allReady();
	}
	expect([fleet.pidOf(0), fleet.pidOf(2)]).toEqual(neighbours);
	expect(sessions()).toEqual(before);
	expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
	await fleet.stop();
});
