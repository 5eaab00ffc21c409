// The module that the manager has node load before the bot (`node --import`). In a process that is no worker it does nothing.
import { takeBrief } from './brief.js';

const brief = takeBrief(process.env);
if (brief) {
	// Imported only now: processes and threads that the bot starts inherit node's arguments, and need none of this.
	const { startWorker } = await import('./start-worker.js');
	startWorker(brief);
}
