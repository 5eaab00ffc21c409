// What Discord refuses while a resident fleet runs: it is named, it costs no further IDENTIFY, no command reports success over it, and a
// fleet without any session left ends.
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { tinyBot } from './fleet.js';
import { startResidentFleet } from './resident-fleet.js';

const health = async (fleet: Awaited<ReturnType<typeof startResidentFleet>>) => (await fleet.manager.getStats()).health;

it('B1: a token that is reset ends the fleet with exit status 4 and the reason', async () => {
	const simulator = await createSimulator({ guilds: 4, shards: 2, maxConcurrency: 16 });
	onTestFinished(() => simulator.stop());
	const cli = cliSandbox();
	const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url };
	const run = cli.run(['start', tinyBot, '--gateway', 'resident'], { env });
	await run.message(/^fleet ready/);
	simulator.faults.close(4004);
	expect(await run.exit).toBe(4);
	expect(run.stdout() + run.stderr()).toMatch(/Discord refused .*4004.*the token is not valid; copy the token again/);
	expect(simulator.log.entries({ type: 'identify' })).toHaveLength(2);
	expect(cli.survivors()).toEqual([]);
});

it('B1, B2: one refused session is named with its remedy, its shard is not ready, and a respawn fails as long as it is refused', async () => {
	const fleet = await startResidentFleet({ shards: 3, guilds: 6 });
	const identifies = () => fleet.simulator.log.entries({ type: 'identify' }).length;
	fleet.simulator.faults.close(4014, { shard: 1 });
	await waitFor('the refusal to be shown', async () => (await health(fleet)).causes.length > 0);
	const { manager, shards, health: verdict } = await fleet.manager.getStats();
	expect(verdict).toMatchObject({
		status: 'degraded',
		served: 2,
		causes: [{ kind: 'discord-refused', shardIds: [1], remedy: expect.stringContaining('https://discord.com/developers') }],
	});
	expect(verdict.causes[0]?.since).toBeGreaterThan(0);
	expect(shards.map(({ ready, status }) => [ready, status])).toEqual([
		[true, 'ready'],
		[false, 'disconnected'],
		[true, 'ready'],
	]);
	expect(manager.status).toBe('degraded');
	expect(fleet.story.join('\n')).toMatch(/shards 1 upstream:refused: Discord refused the session \(4014\)/);
	// A worker that exits does not retry what was refused.
	const before = identifies();
	process.kill(fleet.pidOf(1), 'SIGKILL');
	await waitFor('its next process', () => fleet.manager.workers[1]?.child.epoch === 2);
	expect((await fleet.manager.getStats()).gateways?.[0]?.sessions[1]).toMatchObject({ status: 'refused' });
	expect(identifies()).toBe(before);
	// A user who requests a restart has fixed the cause.
	await expect(fleet.manager.respawnShard(1)).resolves.toBe(true);
	expect(identifies()).toBe(before + 1);
	expect(await health(fleet)).toMatchObject({ status: 'healthy', causes: [] });
	await fleet.stop();
});

it("B2, B3: with the budget used up at Discord, stats report Discord's answer, nothing is sent, and a respawn fails", async () => {
	const fleet = await startResidentFleet({ shards: 2, guilds: 4 });
	fleet.simulator.faults.sessionStarts({ total: 1000, remaining: 0, resetAfterMs: 60_000 });
	const before = fleet.simulator.log.entries({ type: 'identify' }).length;
	// Discord ends the session: the next one needs an IDENTIFY, which Discord does not accept.
	fleet.simulator.faults.invalidate({ shard: 1 });
	await waitFor('the cause to be shown', async () => (await health(fleet)).causes[0]?.kind === 'budget-exhausted');
	const { manager, health: verdict } = await fleet.manager.getStats();
	expect(manager.identify.remaining).toBe(0);
	expect(verdict.causes[0]).toMatchObject({ shardIds: [1], remedy: expect.stringContaining('the same token') });
	const sent = fleet.simulator.log.entries({ type: 'identify' }).length;
	expect(sent - before).toBeLessThanOrEqual(1);
	await expect(fleet.manager.replaceOrReject(fleet.manager.workers[1] as never, 'test')).rejects.toThrow(
		/was replaced, but Discord does not serve its shard: no session starts are left today/,
	);
	expect(fleet.simulator.log.entries({ type: 'identify' }).length).toBe(sent);
	await fleet.stop();
});
