// Makes this process a worker, before the bot's first line runs.
import type { WorkerBrief } from '@shardctl/core';
import { hookDiscordJs } from './discordjs/hook.js';
import { startRuntime } from './runtime.js';

export function startWorker(brief: WorkerBrief): void {
	hookDiscordJs(startRuntime(brief, process.env.DISCORD_TOKEN));
}
