// `shardctl stop`: asks a manager to stop its fleet and waits until it is gone.
import { ShardctlError } from '@shardctl/core';
import { Command } from 'commander';
import { managerName, nameOption } from '../manager-name-option.js';

const pollMs = 100;

export function stopCommand(): Command {
	return new Command('stop')
		.description('Stops a running fleet and waits for its end.')
		.addOption(nameOption())
		.action(async ({ name: given }: { name?: string }) => {
			const { controlRequest } = await import('@shardctl/manager');
			const name = await managerName(given);
			await controlRequest(name, { method: 'POST', path: '/v1/stop' });
			for (;;) {
				await new Promise((resolve) => setTimeout(resolve, pollMs));
				try {
					await controlRequest(name, { method: 'GET', path: '/v1/stats' });
				} catch (error) {
					if (!ShardctlError.is(error) || error.code === 'MANAGER_NOT_RUNNING') break;
					throw error;
				}
			}
			process.stderr.write(`stopped ${name}\n`);
		});
}
