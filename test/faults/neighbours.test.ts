// A bad worker affects only itself. The others keep their processes and their sessions.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { type Fleet, startFleet } from './fleet.js';

it('a worker that crashes in every way is replaced each time, and the others are not affected', async () => {
	const fleet = await startFleet({
		simulator: { shards: 3 },
		manager: { respawn: { initialDelayMs: 10, maxDelayMs: 100, maxRestarts: 100 } },
	});
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

it('no message of a dead process reaches the state, or the listeners, of its successor', async () => {
	const fleet = await startFleet({
		simulator: { shards: 1 },
		manager: { respawn: { initialDelayMs: 1, maxDelayMs: 10, maxRestarts: 100 } },
	});
	const late: string[] = [];
	let heard = 0;
	fleet.manager.on('message', ({ message }) => {
		heard++;
		const { from } = message as { from: number };
		if (from !== fleet.manager.workers[0]?.child.pid) late.push(`${from} while ${fleet.manager.workers[0]?.child.pid} runs`);
	});
	for (let round = 0; round < 4; round++) {
		const pid = fleet.pidOf(0);
		// Many messages are in flight when it dies.
		const flood = 'setInterval(() => { for (let i = 0; i < 500; i++) process.send({ from: process.pid }); }, 1); 1';
		await fleet.manager.broadcastEval(flood, { shard: 0 });
		const before = heard;
		await waitFor('the flood', () => heard > before);
		process.kill(pid, 'SIGKILL');
		await waitFor('the next process', () => fleet.manager.workers[0]?.child.epoch === round + 2);
		await fleet.allReady();
	}
	// Only messages from before the exit were reported, and never under another process's name.
	expect(late.filter((line) => !line.endsWith('while null runs'))).toEqual([]);
	await fleet.stop();
});
