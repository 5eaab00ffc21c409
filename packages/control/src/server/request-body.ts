// Reads the JSON body of a request, up to a bound: what is larger is refused without being kept.
import type { IncomingMessage } from 'node:http';
import { ShardctlError } from '@shardctl/core';

/** Code for `eval` is the largest that anybody sends. */
export const maxBodyBytes = 1024 * 1024;

/** The parsed body; `{}` when there is none. Throws `MESSAGE_TOO_LARGE`, and `OPTIONS_INVALID` for what is no JSON object. */
export async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
	if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge();
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
		size += chunk.length;
		if (size > maxBodyBytes) throw tooLarge();
		chunks.push(chunk);
	}
	return size === 0 ? {} : parseObject(Buffer.concat(chunks).toString('utf8'));
}

function parseObject(text: string): Record<string, unknown> {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (cause) {
		throw new ShardctlError('OPTIONS_INVALID', 'the body of the request is not JSON', { cause });
	}
	if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
	throw new ShardctlError('OPTIONS_INVALID', 'the body of the request must be a JSON object');
}

function tooLarge(): ShardctlError {
	return new ShardctlError('MESSAGE_TOO_LARGE', `the body of a request may have at most ${maxBodyBytes} bytes`);
}
