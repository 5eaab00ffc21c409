// The limit of a channel, five messages in five seconds, which several workers share: Discord refuses nothing, and no other channel waits.
import { fileURLToPath } from 'node:url';
import { waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { type SharedFleet, sharedFleet } from './shared-fleet.js';

const bot = fileURLToPath(new URL('../bench/bots/rest-bot.cjs', import.meta.url));
const workers = 3;

/** Two channels of different guilds. */
function twoChannels({ simulator: { world } }: SharedFleet): [string, string] {
	const [busy, other] = [...world.guilds.ids()].map((id) => {
		const channels = world.guilds.read(id)?.channels.values() ?? [];
		return [...channels].find(({ type }) => type === 0)?.id as string;
	});
	return [busy as string, other as string];
}

describe.each([
	['discord.js', 'say', 4],
	['no library', 'sayPlainly', 3],
])('three workers with %s that write to one channel', (_, say, each) => {
	it('are never refused, and delay no other channel', async () => {
		const fleet = await sharedFleet(bot, { totalShards: workers, callTimeoutMs: 60_000 });
		const [busy, other] = twoChannels(fleet);
		const answered = (channel: string) =>
			fleet.simulator.log
				.entries({ type: 'rest' })
				.flatMap(({ method, path, status }, at) =>
					method === 'POST' && String(path).endsWith(`${channel}/messages`) ? [{ status, at }] : [],
				);

		const all = fleet.manager.broadcastEval(`client.${say}('${busy}', ${each})`);
		await waitFor('the limit of the channel', () => answered(busy).length >= 5);
		await fleet.manager.broadcastEval(`client.${say}('${other}', 1)`);
		await all;

		expect(answered(busy).map(({ status }) => status)).toEqual(Array.from({ length: workers * each }, () => 200));
		expect(answered(other).map(({ status }) => status)).toEqual([200, 200, 200]);
		// Those that wait for the channel have seconds to wait.
		expect(answered(other).at(-1)?.at).toBeLessThan(answered(busy).at(-1)?.at as number);
		expect((await fleet.manager.getStats()).rest).toMatchObject({ limited: 0, invalid: 0 });
	});
});
