// What a worker that is a thread finds in its `workerData`, beside the environment that discord.js reads there.
import { workerData } from 'node:worker_threads';
import { type ThreadEnd, threadKey, workerConfigVariable } from '@shardctl/core';

/** Takes it, so that a bot that passes its `workerData` on to threads of its own passes nothing of ours. Undefined in a process. */
export function takeThreadEnd(): ThreadEnd | undefined {
	const data = workerData as Record<string, unknown> | null;
	const end = data?.[threadKey] as ThreadEnd | undefined;
	if (!data || !end) return undefined;
	delete data[threadKey];
	delete data[workerConfigVariable];
	return end;
}
