// How fast a killed worker is back, against the boot of the same bot alone. The figures of more rounds: test/bench/recovery.mjs.
import { expect, it } from 'vitest';
import { measureRecovery } from '../bench/recovery.mjs';
import { fixture, tinyBot } from './fleet.js';

/** What is allowed over the bare boot. */
const most = 1.3;

it.each([
	['discord.js', fixture('discordjs-bot.cjs')],
	['no library', tinyBot],
])(
	'a bot with %s is ready again after kill -9 about as fast as it boots alone',
	async (library, file) => {
		// Medians of one and the same run: a machine that is busy is so for both.
		const { bareMs, recoveryMs, ratio } = await measureRecovery(file, 4);
		process.stdout.write(
			`${library}: alone ${bareMs.toFixed(0)} ms, again ${recoveryMs.toFixed(0)} ms, ${ratio.toFixed(2)} times\n`,
		);
		expect(ratio).toBeLessThanOrEqual(most);
	},
	120_000,
);
