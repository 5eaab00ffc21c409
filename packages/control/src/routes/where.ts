// The route that finds a guild: its shard by Discord's formula, and whether the bot is in it by asking that shard.
import { isSnowflake, ShardctlError, type ShardStatus, shardIdForGuild } from '@shardctl/core';
import { z } from 'zod';
import { scope, snowflake } from '../api/schemas.js';
import type { Fleet } from '../fleet/fleet.js';
import { workerOfShard } from './fleet.js';
import { route } from './route.js';

const lookupTimeoutMs = 2000;

export const whereRoute = route({
	summary: 'Returns the shard and the worker of a guild, and what the bot knows about it.',
	input: z.strictObject({ guildId: snowflake, ...scope }),
	output: z.object({
		guildId: z.string(),
		shardId: z.int(),
		workerId: z.int(),
		pid: z.int().nullable(),
		status: z.string(),
		node: z.string().optional(),
		/** Null when the worker does not answer, or the bot's library caches no guilds. */
		guild: z.object({ name: z.string().nullable(), memberCount: z.number().nullable() }).nullable(),
	}),
	async run({ guildId }, { fleet, signal }) {
		if (!isSnowflake(guildId)) throw new ShardctlError('OPTIONS_INVALID', `${guildId} is too large to be a Discord id`);
		const { totalShards } = fleet;
		if (totalShards === 0) {
			throw new ShardctlError('WORKER_UNAVAILABLE', 'the number of shards is not known yet: the fleet is starting');
		}
		const shardId = shardIdForGuild(guildId, totalShards);
		const worker = await workerOfShard(fleet, shardId);
		const found = await lookUp(fleet, { guildId, shardId, signal });
		const { id: workerId } = worker;
		if (found?.state === 'absent') throw await guildNotFound(fleet, { guildId, shardId, workerId, signal });
		const guild = found?.state === 'present' ? { name: found.name, memberCount: found.memberCount } : null;
		return {
			guildId,
			shardId,
			workerId,
			pid: worker.pid,
			status: worker.statuses[worker.shardIds.indexOf(shardId)] as ShardStatus,
			...(worker.node === undefined ? {} : { node: worker.node }),
			guild,
		};
	},
});

type Found = { state: 'present'; name: string | null; memberCount: number | null } | { state: 'absent' } | { state: 'unknown' };

/** Runs in the bot. Libraries keep guilds in a Map of their own kind, `client.guilds` or `client.guilds.cache`. */
const lookUpScript = `
	const guilds = client?.guilds?.cache ?? client?.guilds;
	if (typeof guilds?.get !== 'function') return { state: 'unknown' };
	const guild = guilds.get(context.guildId);
	return guild ? { state: 'present', name: guild.name ?? null, memberCount: guild.memberCount ?? null } : { state: 'absent' };`;

async function lookUp(
	fleet: Fleet,
	{ guildId, shardId, signal }: { guildId: string; shardId: number; signal: AbortSignal },
): Promise<Found | undefined> {
	try {
		const options = { shard: shardId, context: { guildId }, timeoutMs: lookupTimeoutMs, signal };
		return (await fleet.broadcastEval(lookUpScript, options)) as Found;
	} catch (error) {
		// A worker that is down or busy does not answer; the shard of the guild is known without it.
		if (ShardctlError.is(error)) return undefined;
		throw error;
	}
}

/** Runs in the bot: guild ids that differ from the wanted one in at most two digits. */
const similarScript = `
	const guilds = client?.guilds?.cache ?? client?.guilds;
	if (typeof guilds?.keys !== 'function') return [];
	const wanted = context.guildId;
	const similar = [];
	for (const id of guilds.keys()) {
		const other = String(id);
		if (other.length !== wanted.length) continue;
		let different = 0;
		for (let i = 0; i < wanted.length && different < 3; i++) if (other[i] !== wanted[i]) different++;
		if (different < 3) similar.push({ id: other, name: guilds.get(id)?.name ?? '', different });
	}
	return similar.sort((a, b) => a.different - b.different).slice(0, 1);`;

interface Similar {
	id: string;
	name: string;
	different: number;
}

async function guildNotFound(
	fleet: Fleet,
	{ guildId, shardId, workerId, signal }: { guildId: string; shardId: number; workerId: number; signal: AbortSignal },
): Promise<ShardctlError> {
	const options = { context: { guildId }, timeoutMs: lookupTimeoutMs, settle: true, signal } as const;
	const answers = (await fleet.broadcastEval(similarScript, options)) as { status: string; value?: Similar[] }[];
	const [best] = answers.flatMap(({ value }) => value ?? []).sort((a, b) => a.different - b.different);
	const hint = best ? `; did you mean ${best.id}${best.name ? ` (${best.name})` : ''}?` : '';
	return new ShardctlError(
		'GUILD_NOT_FOUND',
		`the bot is not in guild ${guildId}, which would be on shard ${shardId} (worker ${workerId})${hint}`,
		{ details: { guildId, shardId, workerId, ...(best ? { meant: best.id } : {}) } },
	);
}
