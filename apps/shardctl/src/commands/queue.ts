// `shardctl queue`: how far the groups of workers are with the events of the queue; `queue dead`: the events that they gave up; `queue remove`:
// a group that is not used any more.
import { ShardctlError } from '@shardctl/core';
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { duration, whole } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { grouped, plural } from '../terminal/count.js';
import { printErr, printOut } from '../terminal/print.js';

interface QueueOptions extends TargetOptions {
	json?: boolean;
	watch?: boolean;
	interval: number;
}

interface DeadOptions extends TargetOptions {
	json?: boolean;
	limit: number;
	retry?: string;
	drop?: string;
}

export function queueCommand(): Command {
	const command = new Command('queue')
		.summary('Shows how far workers are with the event queue.')
		.description(
			'Shows, for each group of workers on all machines, how many events it has not handled yet, how old the oldest is, and how many were ' +
				'delivered again, missed or given up.',
		)
		.addOption(jsonOption())
		.addOption(option('-w, --watch', 'print it again at each interval'))
		.addOption(option('--interval <time>', 'interval, with --watch').default(2000, '2s').argParser(duration));
	for (const each of targetOptions()) command.addOption(each);
	return command.addCommand(deadCommand()).addCommand(removeCommand()).action(showQueue);
}

async function showQueue({ json = false, watch = false, interval, ...which }: QueueOptions): Promise<void> {
	const { client } = await target(which);
	const { queueText } = await import('../queue/queue-table.js');
	const print = async () => {
		const stats = await client.queue();
		printOut(json ? `${JSON.stringify(stats, null, watch ? undefined : 2)}\n` : queueText(stats));
	};
	await print();
	if (!watch) return;
	const { repeat } = await import('../nodes/repeat.js');
	await repeat(interval, print);
}

function removeCommand(): Command {
	const command = new Command('remove')
		.summary('Removes a group that is not used any more.')
		.description(
			'Removes a group whose workers are not to come back: the queue keeps nothing for it any more, writes no events that only it ' +
				'subscribed to, and removes the events that it gave up. It is refused while the group has workers. A worker that connects ' +
				'with the name later makes a new group.',
		)
		.argument('<group>', 'its name, as "shardctl queue" lists it');
	for (const each of targetOptions()) command.addOption(each);
	return command.action(async (group: string, _options: TargetOptions, self: Command) => {
		const { client } = await target(self.optsWithGlobals<TargetOptions>());
		const { unhandled, dead: givenUp } = await client.removeQueueGroup(group);
		const left = `${plural(unhandled, 'event', grouped(unhandled))} that it had not handled, and ${grouped(givenUp)} that it had given up`;
		printErr(`removed group "${group}" with ${left}\n`);
	});
}

function deadCommand(): Command {
	const command = new Command('dead')
		.summary('Lists the events that groups gave up.')
		.description(
			'Lists the events whose handler failed three times, the newest first, with the reason. --retry puts one back into the queue for its ' +
				'group, behind the events that are there; --drop removes it.',
		)
		.addOption(jsonOption())
		.addOption(option('--limit <count>', 'how many to list').default(100).argParser(whole(1)))
		.addOption(option('--retry <id|all>', 'put this event back into the queue', 'QUEUE').conflicts('drop'))
		.addOption(option('--drop <id|all>', 'remove this event', 'QUEUE'));
	for (const each of targetOptions()) command.addOption(each);
	return command.action((_options: DeadOptions, self: Command) => dead(self.optsWithGlobals<DeadOptions>()));
}

async function dead({ json = false, limit, retry, drop, ...which }: DeadOptions): Promise<void> {
	const { client } = await target(which);
	if (retry !== undefined || drop !== undefined) {
		const { count, tooOld } = await (drop === undefined ? client.retryDeadEvents(retry as string) : client.dropDeadEvents(drop));
		const left = tooOld > 0 ? `; ${plural(tooOld, 'interaction')} stayed, which Discord accepts no response to by now` : '';
		printErr(`${drop === undefined ? 'put back' : 'removed'} ${plural(count, 'event')}${left}\n`);
		if (count === 0 && tooOld === 0 && (retry ?? drop) !== 'all')
			throw new ShardctlError('OPTIONS_INVALID', 'the event is not there any more');
		return;
	}
	const events = await client.deadEvents({ limit });
	const { deadText } = await import('../queue/queue-table.js');
	printOut(json ? `${JSON.stringify(events, null, 2)}\n` : deadText(events, Date.now()));
}
