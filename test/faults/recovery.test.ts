// A killed worker is started again at once: no backoff after a first crash, and no periodic check that has to notice it.
// How long the bot then takes, against its boot alone, is measured by test/bench/recovery.mjs.
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { fixture, makeFleet, tinyBot } from './fleet.js';

/** A few ms are usual; the wait before the next start of a worker that was not stable is 15 s. */
const atOnceMs = 500;

it.each([
	['discord.js', fixture('discordjs-bot.cjs')],
	['no library', tinyBot],
])('a bot with %s is started again at once after kill -9, and becomes ready', async (_library, file) => {
	const { manager, pidOf, allReady } = await makeFleet({
		file,
		// Each kill is the first crash of a worker that was stable.
		manager: { respawn: { stableAfterMs: 1 } },
	});
	await manager.spawn();
	const gaps: number[] = [];
	for (let kill = 0; kill < 3; kill++) {
		const exited = once(manager, 'worker:exited').then(() => performance.now());
		const spawned = once(manager, 'worker:spawned').then(() => performance.now());
		process.kill(pidOf(0), 'SIGKILL');
		const [exitedAt, spawnedAt] = await Promise.all([exited, spawned]);
		gaps.push(spawnedAt - exitedAt);
		await allReady();
	}
	// The best of three, as other load on the machine makes some slower.
	expect(Math.min(...gaps)).toBeLessThan(atOnceMs);
});
