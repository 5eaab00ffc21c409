// How shardctl sees and prepares a WebSocketManager of @discordjs/ws 0.8, 1 and 2. The library is the bot's, so nothing of it is
// imported.
import type { ShardSample } from '@shardctl/core';
import type { ClientAdapter } from '../client-adapter.js';
import { shardEvent } from '../discordjs-ws-event.js';
import { field, hasMethods } from '../fields.js';
import { gatewayInfoSource } from '../gateway-info-source.js';
import { createIdentifyThrottler } from '../identify-throttler.js';
import { observeEmits } from '../observe-emits.js';
import { keepSessionsThroughOutages } from '../session-keeper.js';
import { destroyShards } from './destroy-shards.js';
import { disconnection } from './disconnection.js';
import { unsupported } from './unsupported.js';

interface Dispatch {
	t: string;
	d: { id: string; member_count?: number; unavailable?: boolean };
}

export interface WebSocketManager {
	options: {
		rest: unknown;
		shardIds: unknown;
		shardCount: number | null;
		/** Versions before 0.8 have none. */
		buildIdentifyThrottler?(manager: object): unknown;
		updateSessionInfo(shardId: number, session: unknown): unknown;
	};
	destroy(): Promise<void>;
}

export function isWebSocketManager(client: unknown): client is WebSocketManager {
	return hasMethods(client, 'getShardIds', 'fetchStatus', 'updateShardCount', 'destroy');
}

/** One shard's figures, counted from its dispatches: the library itself keeps no guilds. */
interface ShardTally {
	/** Member count by guild id. */
	guilds: Map<string, number>;
	ping: number | null;
}

/** A new adapter each, because it counts the guilds of its manager. */
export function discordjsWsAdapter(): ClientAdapter<WebSocketManager> {
	const tallies = new Map<number, ShardTally>();
	const tally = (shardId: number): ShardTally => {
		let found = tallies.get(shardId);
		if (!found) {
			found = { guilds: new Map(), ping: null };
			tallies.set(shardId, found);
		}
		return found;
	};
	return {
		library: '@discordjs/ws',
		prepare(client, { shardIds, totalShards, gateway, identify }) {
			const { options } = client;
			if (!options.buildIdentifyThrottler) {
				throw unsupported({ name: '@discordjs/ws', supported: '0.8 and newer (with @discordjs/core, 0.6 and newer)' });
			}
			options.shardIds = [...shardIds];
			options.shardCount = totalShards;
			options.rest = gatewayInfoSource(gateway);
			keepSessionsThroughOutages(options, () => field(client, 'strategy'));
			options.buildIdentifyThrottler = (manager) => createIdentifyThrottler(identify, manager);
		},
		observe: (manager, report) =>
			observeEmits(manager, {
				ready: (...args: unknown[]) => report({ shardId: shardEvent(args).shardId, status: 'ready' }),
				resumed: (...args: unknown[]) => report({ shardId: shardEvent(args).shardId, status: 'resumed' }),
				closed: (...args: unknown[]) => {
					const { value, shardId } = shardEvent<number>(args, 'code');
					report(disconnection(shardId, value));
				},
				heartbeat: (...args: unknown[]) => {
					const { value, shardId } = shardEvent<{ latency: number }>(args);
					tally(shardId).ping = value.latency;
				},
				dispatch: (...args: unknown[]) => {
					const { value, shardId } = shardEvent<Dispatch>(args, 'data');
					count(tally(shardId), value);
				},
			}),
		sample: () =>
			[...tallies].map(
				([shardId, { guilds, ping }]): ShardSample => ({
					shardId,
					guildCount: guilds.size,
					userCount: [...guilds.values()].reduce((sum, members) => sum + members, 0),
					ping,
				}),
			),
		destroy: (manager) => destroyShards(manager, () => manager.destroy()),
	};
}

function count({ guilds }: ShardTally, { t, d }: Dispatch): void {
	if (t === 'READY') guilds.clear();
	else if (t === 'GUILD_CREATE') guilds.set(d.id, d.member_count ?? 0);
	// An outage keeps the guild: the bot is still in it.
	else if (t === 'GUILD_DELETE' && !d.unavailable) guilds.delete(d.id);
}
