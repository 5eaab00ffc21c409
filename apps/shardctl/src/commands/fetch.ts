// `shardctl fetch <path>`: reads a property of the bot's client.
import { Command } from 'commander';
import { type CallCommandOptions, callOptions, printResults } from '../call-output.js';
import { target } from '../target.js';

export function fetchCommand(): Command {
	const command = new Command('fetch')
		.summary('Reads a property of the client in the workers.')
		.description('Reads a property of the client in every worker, or in one.')
		.argument('<path>', 'a dotted path such as guilds.cache.size');
	for (const each of callOptions()) command.addOption(each);
	return command.action(async (path: string, { json, shard, guild, timeout, ...which }: CallCommandOptions) => {
		const { client } = await target(which);
		printResults(await client.fetch(path, { shard, guildId: guild, timeoutMs: timeout }), { json: json ?? false });
	});
}
