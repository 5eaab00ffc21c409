// How shardctl sees a discord.js 14 client.
import type { ShardSample } from '@shardctl/core';
import type { ClientAdapter } from '../client-adapter.js';
import type { DiscordClient } from './library.js';

/** The adapter for discord.js; `version` is the bot's own. */
export function discordJsAdapter(version: string): ClientAdapter<DiscordClient> {
	return {
		library: `discord.js ${version}`,
		observe(client, report) {
			client.on('shardReady', (shardId: number) => report({ shardId, status: 'ready' }));
			client.on('shardReconnecting', (shardId: number) => report({ shardId, status: 'reconnecting' }));
			client.on('shardResume', (shardId: number) => report({ shardId, status: 'resumed' }));
			client.on('shardDisconnect', ({ code }: { code: number }, shardId: number) =>
				report({ shardId, status: 'disconnected', closeCode: code }),
			);
		},
		sample(client) {
			const samples = new Map<number, ShardSample>();
			for (const [shardId, { ping }] of client.ws.shards) {
				samples.set(shardId, { shardId, guildCount: 0, userCount: 0, ping: ping < 0 ? null : ping });
			}
			for (const { shardId, memberCount } of client.guilds.cache.values()) {
				const sample = samples.get(shardId);
				if (!sample) continue;
				sample.guildCount++;
				sample.userCount += memberCount;
			}
			return [...samples.values()];
		},
		destroy: (client) => client.destroy(),
	};
}
