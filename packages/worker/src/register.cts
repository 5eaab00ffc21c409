// The module that the manager has node load before the bot (`node --require`). In a process that is no worker it does nothing, and
// loads nothing: processes and threads that the bot starts inherit node's arguments.
// CommonJS, and what it loads is one file (`bundle.mjs`): node's loader of ES modules and fifty small files would cost each
// worker a tenth of its start.
import type { workerConfigVariable } from '@shardctl/core' with { 'resolution-mode': 'import' };
import type { startWorker } from './start-worker.js' with { 'resolution-mode': 'import' };

const variable: typeof workerConfigVariable = 'SHARDCTL_WORKER';

if (process.env[variable] !== undefined) {
	const bundle = require('./start-worker.cjs') as { startWorker: typeof startWorker };
	bundle.startWorker();
}
