// Reads the configuration that the manager forked this process with.
import { ShardctlError, type WorkerConfig, workerConfigVariable } from '@shardctl/core';

/**
 * Reads the config and removes it from the environment, so that processes which the bot starts do not take it for their own.
 * Undefined when this process is not a worker.
 */
export function readWorkerConfig(env: NodeJS.ProcessEnv): WorkerConfig | undefined {
	const text = env[workerConfigVariable];
	if (text === undefined) return undefined;
	delete env[workerConfigVariable];
	try {
		return JSON.parse(text) as WorkerConfig;
	} catch (cause) {
		throw new ShardctlError('PROTOCOL_ERROR', `${workerConfigVariable} is not the JSON that a shardctl manager writes`, {
			cause,
		});
	}
}
