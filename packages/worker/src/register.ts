// The module that the manager has node load before the bot (`node --import`). In a process that is no worker it does nothing, and
// loads nothing: processes and threads that the bot starts inherit node's arguments.
import type { briefVariable } from '@shardctl/core';

const brief: typeof briefVariable = 'SHARDCTL_WORKER';

if (process.env[brief] !== undefined) {
	const { startWorker } = await import('./start-worker.js');
	startWorker();
}
