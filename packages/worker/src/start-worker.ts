// Makes this process a worker, before the bot's first line runs.
import { takeBrief } from './brief.js';
import { hookDiscordJs } from './discordjs/hook.js';
import { startRuntime } from './runtime.js';

/** Does nothing in a process that no manager has given a brief. */
export function startWorker(): void {
	const brief = takeBrief(process.env);
	if (!brief) return;
	hookDiscordJs(startRuntime(brief, process.env.DISCORD_TOKEN));
	// The manager may have gone while this process was still booting, when nobody listened: the bot does not run without one.
	if (!process.connected) process.exit(1);
}
