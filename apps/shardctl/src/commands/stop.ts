// `shardctl stop`: asks a manager to stop its fleet and waits until it has exited. In a cluster that is one node, which drains first.
import type { ControlClient } from '@shardctl/control';
import { Command } from 'commander';
import { option } from '../option.js';
import { duration } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { plural } from '../terminal/count.js';
import { printErr } from '../terminal/print.js';

interface StopOptions extends TargetOptions {
	grace?: number;
	all?: boolean;
}

export function stopCommand(): Command {
	const command = new Command('stop')
		.summary('Stops a fleet and waits until it has stopped.')
		.description(
			'Stops a running fleet and waits until it has stopped. In a cluster it stops one node, whose sessions move to the other nodes first.',
		)
		.addOption(option('--grace <time>', "how long workers have to shut down (default: the fleet's --grace)").argParser(duration))
		.addOption(option('--all', 'in a cluster: every node; nothing is moved', 'STOP').conflicts('node'))
		.addOption(option('--node <name>', 'in a cluster: this node (default: the node of this fleet)', 'ON'));
	for (const each of targetOptions({ ownFolder: true })) command.addOption(each);
	return command.action(async ({ grace, all = false, node, ...which }: StopOptions) => {
		const { client, label } = await target(which, 'stop');
		const request = { ...(grace === undefined ? {} : { graceMs: grace }), ...(all ? { all } : {}), node };
		const drains = all ? undefined : await drained(client, node);
		if (drains !== undefined) printErr(drains);
		const { withMoves } = await import('../nodes/watch-moves.js');
		const { nodes } = drains === undefined ? await client.stop(request) : await withMoves(client, () => client.stop(request));
		if (!nodes) printErr(`stopped ${label}\n`);
		else
			printErr(
				`stopped ${nodes.length === 1 ? `node ${nodes[0]}` : `${nodes.length} nodes (${nodes.join(', ')})`} of ${label}\n`,
			);
	});
}

/** What a stop does first, for people; undefined where nothing moves. */
async function drained(client: ControlClient, name: string | undefined): Promise<string | undefined> {
	try {
		const [{ node: self }, { nodes }] = await Promise.all([client.placement(), client.nodes()]);
		const node = nodes.find((each) => each.name === (name ?? self));
		if (!node || node.sessions === 0) return undefined;
		const others = nodes.filter(({ name: other, status }) => other !== node.name && status === 'ready');
		return others.length === 0
			? `node ${node.name} is the last one: its ${plural(node.sessions, 'session')} stay open with Discord for the next node\n`
			: `node ${node.name} drains first: ${plural(node.sessions, 'session')} move to ${others.map((each) => each.name).join(', ')}\n`;
	} catch {
		// No cluster, or one that does not answer; the stop reports what it is.
		return undefined;
	}
}
