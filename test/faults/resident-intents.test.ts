// A new version of a bot that asks for more intents is deployed: Discord grants them, or the deploy is rolled back.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { expectExactlyOnceInOrder, type Handled, startResidentFleet } from './resident-fleet.js';

/** The intent that the bot needs in any version. */
const messageContent = 1 << 15;

it('deploys a version with more intents: one new session per shard, and every shard keeps working', async () => {
	const fleet = await startResidentFleet({ shards: 2, guilds: 10, manager: { shardsPerWorker: 2 } });
	const stopTalking = fleet.keepTalking(100);
	fleet.version('more-intents');
	await fleet.manager.deploy({ observeMs: 0 });
	const [pid] = fleet.manager.workers.map(({ child }) => child.pid);
	stopTalking();
	// Including the event at which the new session took over.
	expectExactlyOnceInOrder(await fleet.handledAll());
	const identifies = fleet.simulator.log.entries({ type: 'identify' });
	expect(identifies.map((entry) => entry.intents)).toEqual([33_281, 33_281, 33_283, 33_283]);
	expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
	const before = fleet.handled().length;
	for (let guild = 0; guild < 10; guild++) fleet.say(guild);
	const after = await handledSince(fleet, before, 10);
	expect(after.every((handled) => handled.pid === pid)).toBe(true);
	// A deploy with the same intents needs no identify again.
	await fleet.manager.deploy({ observeMs: 0 });
	expect(fleet.simulator.log.entries({ type: 'identify' })).toHaveLength(4);
	await fleet.stop();
});

it('rolls a deploy back whose intents Discord refuses, without a lost event', async () => {
	const fleet = await startResidentFleet({
		shards: 2,
		guilds: 10,
		simulator: { grantedIntents: messageContent },
		manager: { shardsPerWorker: 2 },
	});
	const workers = fleet.manager.workers.map(({ child }) => child.pid);
	const stopTalking = fleet.keepTalking(100);
	fleet.version('more-intents');
	await expect(fleet.manager.deploy({ observeMs: 0 })).rejects.toMatchObject({
		code: 'WORKER_NOT_READY',
		message: expect.stringMatching(/4014/),
	});
	fleet.version('');
	stopTalking();
	expectExactlyOnceInOrder(await fleet.handledAll());
	expect([fleet.manager.status, fleet.manager.workers.map(({ child }) => child.pid)]).toEqual(['running', workers]);
	const { simulator } = fleet;
	expect(simulator.log.entries({ type: 'identify' }).filter(({ outcome }) => outcome === 'accepted')).toHaveLength(2);
	expect(simulator.log.entries({ type: 'resume' })).toEqual([]);
	expect(fleet.story.join('\n')).toMatch(
		/Discord refused the intents GUILD_MEMBERS that a worker requested; the session continues/,
	);
	await fleet.manager.deploy({ observeMs: 0 });
	await fleet.stop();
});

async function handledSince(
	fleet: Awaited<ReturnType<typeof startResidentFleet>>,
	before: number,
	count: number,
): Promise<Handled[]> {
	await waitFor('messages to be handled', () => fleet.handled().length >= before + count);
	return fleet.handled().slice(before);
}
