// Reads the JSON body of a request, up to a bound: a larger one is rejected without being kept.
import type { IncomingMessage } from 'node:http';
import { ShardctlError } from '@shardctl/core';

/** Enough for code to `eval`, the largest input. */
export const maxBodyBytes = 1024 * 1024;

/** The parsed body; `{}` when there is none. Throws `MESSAGE_TOO_LARGE`, and `OPTIONS_INVALID` for anything but a JSON object. */
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
		throw new ShardctlError('OPTIONS_INVALID', 'the request body is not JSON', { cause });
	}
	if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
	throw new ShardctlError('OPTIONS_INVALID', 'the request body must be a JSON object');
}

function tooLarge(): ShardctlError {
	return new ShardctlError('MESSAGE_TOO_LARGE', `the request body is larger than ${maxBodyBytes} bytes`);
}
