// One reader of server-sent events. It never waits for the reader: what a slow one cannot take is skipped and counted, and one
// that takes nothing for long is let go.
import type { ServerResponse } from 'node:http';
import type { Clock } from '@shardctl/core';

const stalledAfterMs = 30_000;

/** A frame that any number of readers share: the bytes are made once. `id` lets a reader that comes back say where it was. */
export function eventFrame({ type, id, data }: { type: string; id?: number; data: unknown }): Buffer {
	const idLine = id === undefined ? '' : `id: ${id}\n`;
	return Buffer.from(`event: ${type}\n${idLine}data: ${JSON.stringify(data)}\n\n`);
}

const keepAlive = Buffer.from(': still here\n\n');

export class EventStream {
	readonly #response: ServerResponse;
	readonly #clock: Clock;
	readonly #allowedBytes: () => number;
	#skipped = 0;
	/** Monotonic time since when the buffer has been full; undefined while it is not. */
	#fullSince: number | undefined;

	/** @param allowedBytes How much may wait for this reader now. */
	constructor(response: ServerResponse, { clock, allowedBytes }: { clock: Clock; allowedBytes: () => number }) {
		this.#response = response;
		this.#clock = clock;
		this.#allowedBytes = allowedBytes;
		response.writeHead(200, {
			'content-type': 'text/event-stream',
			'cache-control': 'no-store',
			connection: 'close',
			// A proxy in between must not gather what should arrive at once.
			'x-accel-buffering': 'no',
		});
		response.flushHeaders();
		response.on('drain', () => {
			this.#fullSince = undefined;
			this.#tellSkipped();
		});
	}

	/** Sends a frame, or skips it when the reader is behind. */
	send(frame: Buffer): void {
		const waiting = this.#response.writableLength;
		if (waiting === 0 || waiting + frame.length <= this.#allowedBytes()) {
			this.#response.write(frame);
			return;
		}
		this.#skipped++;
		this.#fullSince ??= this.#clock.monotonic();
	}

	/** Called now and then: keeps the connection in use, and lets a reader go that has stalled. */
	tick(): void {
		if (this.#fullSince !== undefined && this.#clock.monotonic() - this.#fullSince > stalledAfterMs) this.#response.destroy();
		else if (this.#response.writableLength === 0) this.#response.write(keepAlive);
	}

	end(): void {
		this.#response.end();
	}

	#tellSkipped(): void {
		if (this.#skipped === 0) return;
		const count = this.#skipped;
		this.#skipped = 0;
		this.send(eventFrame({ type: 'skipped', data: { count } }));
	}
}
