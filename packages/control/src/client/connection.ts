// One HTTP request to a manager, over its socket or over TCP.
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { type ErrorCode, ShardctlError } from '@shardctl/core';

/** Where a manager listens; `label` names it in errors. */
export type ConnectionTarget = { label: string } & ({ socketPath: string } | { url: string; token: string });

/** Larger than any answer; a program that listens by chance on the same port must not fill the memory. */
const maxAnswerBytes = 256 * 1024 * 1024;

/**
 * Resolves with the response once its head is there. Throws `MANAGER_NOT_RUNNING` when nobody listens, `CHANNEL_CLOSED` when the
 * manager ends before it answers, `CALL_TIMEOUT` after `timeoutMs` without an answer, and the signal's reason.
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
						const message = `the manager "${target.label}" did not answer in ${timeoutMs / 1000} s`;
						outgoing.destroy(new ShardctlError('CALL_TIMEOUT', message));
					}, timeoutMs);
		outgoing.once('response', (response) => {
			clearTimeout(timer);
			resolve(response);
		});
		outgoing.once('error', (cause: NodeJS.ErrnoException) => {
			clearTimeout(timer);
			reject(signal?.aborted ? (signal.reason as Error) : connectionError(target.label, cause));
		});
		outgoing.end(body);
	});
}

/** The text of an answer. Throws `CHANNEL_CLOSED` when it breaks off. */
export async function readText(response: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	let size = 0;
	try {
		for await (const chunk of response as AsyncIterable<Buffer>) {
			size += chunk.length;
			if (size > maxAnswerBytes) throw new ShardctlError('MESSAGE_TOO_LARGE', `the answer has more than ${maxAnswerBytes} bytes`);
			chunks.push(chunk);
		}
	} catch (cause) {
		throw connectionError('', cause as NodeJS.ErrnoException);
	}
	return Buffer.concat(chunks).toString('utf8');
}

/** The JSON of an answer. Throws `PROTOCOL_ERROR` when it is none, `CHANNEL_CLOSED` when it breaks off. */
export async function readJson(response: IncomingMessage): Promise<unknown> {
	const text = await readText(response);
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw new ShardctlError('PROTOCOL_ERROR', 'the answer is not JSON: is this the control API of a manager?', { cause });
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
	message: (label: string) => `no manager answers at "${label}"`,
} as const;
const forbidden = { code: 'FORBIDDEN', message: (label: string) => `the manager "${label}" belongs to another user` } as const;
const ended = { code: 'CHANNEL_CLOSED', message: () => 'the manager ended before it had answered' } as const;
const meaning: Readonly<Record<string, { code: ErrorCode; message(label: string): string }>> = {
	ENOENT: notRunning,
	ECONNREFUSED: notRunning,
	EACCES: forbidden,
	EPERM: forbidden,
	ECONNRESET: ended,
	EPIPE: ended,
};
