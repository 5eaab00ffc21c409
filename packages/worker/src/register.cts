// The module that the manager has node load before the bot (`node --require`). Processes and threads that the bot starts inherit it;
// in a process that belongs to no worker it does nothing, and loads nothing.
// CommonJS, and what it loads is one file (`bundle.mjs`): node's loader of ES modules and fifty small files would cost each
// worker a tenth of its start.
import type { workerConfigVariable } from '@shardctl/core' with { 'resolution-mode': 'import' };
import type { descendantConfigVariable } from './outgoing/descendant-config.js' with { 'resolution-mode': 'import' };
import type { startDescendant } from './outgoing/start-descendant.js' with { 'resolution-mode': 'import' };
import type { startWorker } from './start-worker.js' with { 'resolution-mode': 'import' };

const worker: typeof workerConfigVariable = 'SHARDCTL_WORKER';
const descendant: typeof descendantConfigVariable = 'SHARDCTL_DESCENDANT';

if (process.env[worker] !== undefined) {
	const bundle = require('./start-worker.cjs') as { startWorker: typeof startWorker };
	bundle.startWorker(__filename);
} else if (process.env[descendant] !== undefined) {
	const bundle = require('./start-descendant.cjs') as { startDescendant: typeof startDescendant };
	bundle.startDescendant(JSON.parse(process.env[descendant]));
}
