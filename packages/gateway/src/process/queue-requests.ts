// What workers of the event queue ask of a shard: something to be sent to Discord, or a guild of its state.
import { ShardctlError } from '@shardctl/core';
import { type ClientRequest, op, parseClientOperation } from '@shardctl/gateway-protocol';
import type { GatewayRequest } from '@shardctl/queue';
import type { ResidentShard } from '../shard/resident-shard.js';

const notRequests: ReadonlySet<number> = new Set([op.heartbeat, op.identify, op.resume]);

/** @throws ShardctlError what the worker receives */
export function answerWorker(
	shard: Pick<ResidentShard, 'id' | 'requestFor' | 'guild'> | undefined,
	asked: GatewayRequest,
): unknown {
	if (!shard) throw new ShardctlError('GATEWAY_UNAVAILABLE', 'this gateway process has the shard no longer: try again');
	if (asked.kind === 'guild') {
		const guild = shard.guild(asked.guildId);
		if (!guild)
			throw new ShardctlError('GUILD_NOT_FOUND', `the bot is not in guild ${asked.guildId}, or the guild is in an outage`);
		return guild;
	}
	const parsed = notRequests.has(asked.op) ? { problem: `op ${asked.op}` } : parseClientOperation(asked.op, asked.d);
	if ('problem' in parsed)
		throw new ShardctlError('OPTIONS_INVALID', `Discord would not accept this from a worker: ${parsed.problem}`);
	if (!shard.requestFor(parsed.operation as ClientRequest))
		throw new ShardctlError('OPTIONS_INVALID', `no guild of shard ${shard.id} is in what was to be sent`);
	return null;
}
