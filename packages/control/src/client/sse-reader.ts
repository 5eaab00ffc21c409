// Reads server-sent events from a response. HTML Standard, "Server-sent events".
import type { IncomingMessage } from 'node:http';
import { ShardctlError } from '@shardctl/core';

export interface ReceivedEvent {
	type: string;
	data: unknown;
}

const maxEventChars = 64 * 1024 * 1024;

/** Yields each event until the other side ends the stream or the signal aborts; leaving the loop closes the connection. */
export async function* readEvents(response: IncomingMessage, signal?: AbortSignal): AsyncGenerator<ReceivedEvent> {
	response.setEncoding('utf8');
	let pending = '';
	try {
		for await (const chunk of response as AsyncIterable<string>) {
			pending += chunk;
			if (pending.length > maxEventChars)
				throw new ShardctlError(
					'MESSAGE_TOO_LARGE',
					`an event is larger than ${maxEventChars} characters, so it is not from a manager`,
				);
			const blocks = pending.split('\n\n');
			pending = blocks.pop() as string;
			for (const block of blocks) {
				const event = parseEvent(block);
				if (event) yield event;
			}
		}
	} catch (error) {
		// A manager that is killed breaks the stream off: for the reader that is the end of the stream, like any other.
		const code = (error as NodeJS.ErrnoException).code;
		if (!signal?.aborted && code !== 'ECONNRESET') throw error;
	} finally {
		response.destroy();
	}
}

/** Undefined for a comment. */
export function parseEvent(block: string): ReceivedEvent | undefined {
	let type = 'message';
	const data: string[] = [];
	for (const line of block.split('\n')) {
		if (line.startsWith('event: ')) type = line.slice(7);
		else if (line.startsWith('data: ')) data.push(line.slice(6));
	}
	return data.length === 0 ? undefined : { type, data: JSON.parse(data.join('\n')) };
}
