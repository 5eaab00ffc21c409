// Reads what the manager told this process when it forked it.
import { briefVariable, ShardctlError, type WorkerBrief } from '@shardctl/core';

/**
 * Takes the brief out of the environment, so that processes which the bot starts itself do not take it for their own.
 * Undefined when this process is not a worker.
 */
export function takeBrief(env: NodeJS.ProcessEnv): WorkerBrief | undefined {
	const text = env[briefVariable];
	if (text === undefined) return undefined;
	delete env[briefVariable];
	try {
		return JSON.parse(text) as WorkerBrief;
	} catch (cause) {
		throw new ShardctlError('PROTOCOL_ERROR', `${briefVariable} is not the JSON that a shardctl manager writes`, { cause });
	}
}
