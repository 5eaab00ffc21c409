// One server-sent event as bytes. HTML Standard, "Server-sent events".

/** A frame that any number of readers share: the bytes are made once. With `id` a reader that reconnects can say what it saw last. */
export function eventFrame({ type, id, data }: { type: string; id?: number; data: unknown }): Buffer {
	const idLine = id === undefined ? '' : `id: ${id}\n`;
	return Buffer.from(`event: ${type}\n${idLine}data: ${JSON.stringify(data)}\n\n`);
}
