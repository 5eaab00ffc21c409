// A killed worker is started again without any wait: no window, no backoff, no periodic check. How near it gets
// to the boot of the same bot alone is measured by test/bench/recovery.mjs.
import { expect, it } from 'vitest';
import { measureRecovery } from '../bench/recovery.mjs';
import { fixture, tinyBot } from './fleet.js';

/** The limit over the bare boot; 1.1 to 1.3 is usual. */
const most = 3;

it.each([
	['discord.js', fixture('discordjs-bot.cjs')],
	['no library', tinyBot],
])('a bot with %s is ready again after kill -9 without a wait', async (library, file) => {
	const { bareMs, recoveryMs } = await measureRecovery(file, 4);
	// The best of each: other load on the machine makes some rounds slower, and none faster.
	const [alone, again] = [Math.min(...bareMs), Math.min(...recoveryMs)];
	process.stdout.write(`${library}: alone ${alone.toFixed(0)} ms, again ${again.toFixed(0)} ms\n`);
	expect(again).toBeLessThan(most * alone);
});
