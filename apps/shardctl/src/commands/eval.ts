// `shardctl eval <code>`: runs code in the bot.
import { Command } from 'commander';
import { type CallCommandOptions, callOptions, printResults } from '../call-output.js';
import { target } from '../target.js';

export function evalCommand(): Command {
	const command = new Command('eval')
		.summary('Runs code in the workers and prints the results.')
		.description('Runs code in every worker, or in one, and prints the results.')
		.argument('<code>', 'an expression, or statements with return; "client" and "this" are the client of the bot')
		.addHelpText(
			'after',
			`
Examples:
  $ shardctl eval 'client.guilds.cache.size'
  $ shardctl eval 'this.user.tag' --shard 0`,
		);
	for (const each of callOptions()) command.addOption(each);
	return command.action(async (code: string, { json, shard, guild, timeout, ...which }: CallCommandOptions) => {
		const { client } = await target(which);
		printResults(await client.eval(code, { shard, guildId: guild, timeoutMs: timeout }), { json: json ?? false });
	});
}
