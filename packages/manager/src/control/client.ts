// Talks to the control API of a running manager.
import { request } from 'node:http';
import { type ErrorCode, ShardctlError } from '@shardctl/core';
import { socketPath } from './state-dir.js';

const answerTimeoutMs = 10_000;

/** One request to the manager of that name. Throws `MANAGER_NOT_RUNNING` when there is none, and the manager's own errors. */
export function controlRequest<T>(
	name: string,
	{ method, path, body }: { method: 'GET' | 'POST'; path: string; body?: unknown },
): Promise<T> {
	return new Promise((resolve, reject) => {
		const outgoing = request({ socketPath: socketPath(name), method, path, timeout: answerTimeoutMs }, (response) => {
			const chunks: Buffer[] = [];
			response.on('data', (chunk: Buffer) => chunks.push(chunk));
			response.on('error', reject);
			response.on('end', () => {
				const answer = JSON.parse(Buffer.concat(chunks).toString('utf8')) as T & { error?: { code: ErrorCode; message: string } };
				if (response.statusCode === 200) resolve(answer);
				else
					reject(new ShardctlError(answer.error?.code ?? 'INTERNAL', answer.error?.message ?? `answer ${response.statusCode}`));
			});
		});
		outgoing.on('timeout', () =>
			outgoing.destroy(new ShardctlError('CALL_TIMEOUT', `the manager "${name}" did not answer in ${answerTimeoutMs / 1000} s`)),
		);
		outgoing.on('error', (cause: NodeJS.ErrnoException) => {
			const missing = cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED';
			reject(missing ? new ShardctlError('MANAGER_NOT_RUNNING', `no manager named "${name}" is running`, { cause }) : cause);
		});
		outgoing.end(body === undefined ? undefined : JSON.stringify(body));
	});
}
