// Reads server-sent events from a response. EventSource cannot send the header that a session needs.
import { parseShown } from './parse-shown.ts';

export interface StreamEvent {
	type: string;
	data: unknown;
}

export async function* readStream(response: Response): AsyncGenerator<StreamEvent> {
	const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new TextDecoderStream()).getReader();
	let rest = '';
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			// What was searched before needs no second look, but for a separator that was cut in two.
			let searched = Math.max(0, rest.length - 1);
			rest += value;
			for (let end = rest.indexOf('\n\n', searched); end >= 0; end = rest.indexOf('\n\n')) {
				const event = parseEvent(rest.slice(0, end));
				rest = rest.slice(end + 2);
				searched = 0;
				if (event) yield event;
			}
		}
	} finally {
		await reader.cancel().catch(() => {});
	}
}

function parseEvent(text: string): StreamEvent | undefined {
	let type = 'message';
	let data: string | undefined;
	for (const line of text.split('\n')) {
		if (line.startsWith('event: ')) type = line.slice(7);
		else if (line.startsWith('data: ')) data = line.slice(6);
	}
	return data === undefined ? undefined : { type, data: parseShown(data) };
}
