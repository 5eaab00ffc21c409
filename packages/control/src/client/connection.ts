// One HTTP request to a manager, over its socket or over TCP.
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { type ErrorCode, ShardctlError } from '@shardctl/core';

/** Where a manager listens; `label` names it in errors. */
export type ConnectionTarget = { label: string } & ({ socketPath: string } | { url: string; token: string });

/** Larger than any response; another program that happens to listen on the same port must not fill the memory. */
const maxResponseBytes = 256 * 1024 * 1024;

/**
 * Resolves with the response once its head has arrived. Throws `MANAGER_NOT_RUNNING` when nothing listens, `CHANNEL_CLOSED` when the
 * manager exits before it responds, `CALL_TIMEOUT` after `timeoutMs` without a response, and the signal's reason.
 */
export function openResponse(
	target: ConnectionTarget,
	{ method, path, body }: { method: string; path: string; body: string | undefined },
	timeoutMs: number | undefined,
	signal?: AbortSignal,
): Promise<IncomingMessage> {
	return new Promise((resolve, reject) => {
		const headers = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...authorization(target) };
		const options: RequestOptions = { method, headers, agent: false, ...(signal ? { signal } : {}) };
		const outgoing =
			'socketPath' in target
				? httpRequest({ ...options, socketPath: target.socketPath, path })
				: httpRequest(new URL(path, target.url), options);
		const timer =
			timeoutMs === undefined
				? undefined
				: setTimeout(() => {
						const message = `the manager "${target.label}" did not respond within ${timeoutMs / 1000} s`;
						outgoing.destroy(new ShardctlError('CALL_TIMEOUT', message));
					}, timeoutMs);
		outgoing.once('response', (response) => {
			clearTimeout(timer);
			resolve(response);
		});
		outgoing.on('error', (cause: NodeJS.ErrnoException) => {
			clearTimeout(timer);
			reject(signal?.aborted ? (signal.reason as Error) : connectionError(target.label, cause));
		});
		outgoing.end(body);
	});
}

/** The text of a response. Throws `CHANNEL_CLOSED` when it breaks off. */
export async function readText(response: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	let size = 0;
	try {
		for await (const chunk of response as AsyncIterable<Buffer>) {
			size += chunk.length;
			if (size > maxResponseBytes)
				throw new ShardctlError('MESSAGE_TOO_LARGE', `the response is larger than ${maxResponseBytes} bytes`);
			chunks.push(chunk);
		}
	} catch (cause) {
		throw connectionError('', cause as NodeJS.ErrnoException);
	}
	return Buffer.concat(chunks).toString('utf8');
}

/** The JSON of a response. Throws `PROTOCOL_ERROR` when it is not JSON, `CHANNEL_CLOSED` when it breaks off. */
export async function readJson(response: IncomingMessage): Promise<unknown> {
	const text = await readText(response);
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw new ShardctlError('PROTOCOL_ERROR', 'the response is not JSON: is this the address of a control API?', { cause });
	}
}

function authorization(target: ConnectionTarget): { authorization?: string } {
	return 'token' in target ? { authorization: `Bearer ${target.token}` } : {};
}

function connectionError(label: string, cause: NodeJS.ErrnoException): Error {
	if (ShardctlError.is(cause)) return cause;
	const known = meaning[cause.code ?? ''];
	if (known) return new ShardctlError(known.code, known.message(label), { cause });
	return new ShardctlError('CHANNEL_CLOSED', `the connection to the manager failed: ${cause.message}`, { cause });
}

const notRunning = {
	code: 'MANAGER_NOT_RUNNING',
	message: (label: string) => `no manager is listening at "${label}"`,
} as const;
const forbidden = { code: 'FORBIDDEN', message: (label: string) => `the manager "${label}" belongs to another user` } as const;
const ended = { code: 'CHANNEL_CLOSED', message: () => 'the manager exited before it responded' } as const;
const meaning: Readonly<Record<string, { code: ErrorCode; message(label: string): string }>> = {
	ENOENT: notRunning,
	ECONNREFUSED: notRunning,
	EACCES: forbidden,
	EPERM: forbidden,
	ECONNRESET: ended,
	EPIPE: ended,
};
