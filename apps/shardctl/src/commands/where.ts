// `shardctl where <guildId>`: which shard and process has a guild.
import { Command } from 'commander';
import { jsonOption } from '../option.js';
import { scopeOptions, type TargetOptions, target, targetOptions } from '../target.js';
import { printOut } from '../terminal/print.js';

export function whereCommand(): Command {
	const command = new Command('where')
		.description('Shows the shard, worker and process of a guild.')
		.argument('<guildId>', 'a guild id')
		.addOption(jsonOption());
	for (const each of [...targetOptions(), ...scopeOptions()]) command.addOption(each);
	return command.action(async (guildId: string, { json, ...which }: TargetOptions & { json?: boolean }) => {
		const { client } = await target(which);
		const found = await client.where(guildId);
		if (json) {
			printOut(`${JSON.stringify(found, null, 2)}\n`);
			return;
		}
		const { shardId, workerId, pid, status, guild, node } = found;
		const members = guild?.memberCount === undefined || guild.memberCount === null ? '' : `, ${guild.memberCount} members`;
		const name =
			guild === null
				? 'the worker did not answer, or is not Node.js: unknown whether the bot is in it'
				: `${guild.name ?? 'unnamed'}${members}`;
		printOut(
			`${node === undefined ? '' : `node ${node}  `}shard ${shardId}  worker ${workerId}  process ${pid ?? '-'}  ${status}  (${name})\n`,
		);
	});
}
