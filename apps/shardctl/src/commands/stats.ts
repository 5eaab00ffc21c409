// `shardctl stats`: the fleet at a glance, or as JSON.
import { Command } from 'commander';
import { managerName, nameOption } from '../manager-name-option.js';

export function statsCommand(): Command {
	return new Command('stats')
		.description('Shows every shard of a running fleet.')
		.addOption(nameOption())
		.option('--json', 'print JSON')
		.option('--fresh', 'ask the workers now instead of showing what they said last')
		.action(async ({ name, json, fresh }: { name?: string; json?: boolean; fresh?: boolean }) => {
			const { controlRequest } = await import('@shardctl/manager');
			const path = fresh ? '/v1/stats?fresh=true' : '/v1/stats';
			const stats = await controlRequest<import('@shardctl/manager').ManagerStats>(await managerName(name), {
				method: 'GET',
				path,
			});
			if (json) {
				process.stdout.write(`${JSON.stringify(stats, null, 2)}\n`);
				return;
			}
			const { statsTable } = await import('../stats-table.js');
			process.stdout.write(statsTable(stats));
		});
}
