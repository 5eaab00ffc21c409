// The output of a fleet that must not end or wait with it: a disk may be full, a reader may have gone or may not read. Lines that cannot
// be written are counted, and their number is reported once writing works again.
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';

/** What waits for a reader that is slow; beyond it lines are lost. */
const maxWaitingBytes = 4 * 2 ** 20;
const retryMs = 25;
/** How long the last lines may take when the fleet has ended. */
const closeMs = 1000;

export interface Loss {
	lines: number;
	/** Such as `ENOSPC`; `EAGAIN` when the reader did not read. */
	code: string;
}

export class GuardedOutput {
	readonly #fd: number;
	readonly #isOwnFd: boolean;
	readonly #lossLine: (loss: Loss) => string;
	#waiting: Buffer[] = [];
	#waitingBytes = 0;
	#loss: Loss | undefined;
	/** A line was written in part. */
	#isMidLine = false;
	#timer: NodeJS.Timeout | undefined;

	/** @param lossLine What to write once lines can be written again. */
	constructor(stream: { fd: number }, lossLine: (loss: Loss) => string) {
		const own = openNonBlocking(stream.fd);
		this.#fd = own ?? stream.fd;
		this.#isOwnFd = own !== undefined;
		this.#lossLine = lossLine;
	}

	/** Writes whole lines, now if that is possible. Never throws, never waits. */
	write(text: string): void {
		const bytes = Buffer.from(text);
		if (this.#waiting.length === 0) {
			this.#send(bytes);
			return;
		}
		if (this.#waitingBytes + bytes.length > maxWaitingBytes) this.#lose(bytes, 'EAGAIN');
		else this.#wait(bytes);
	}

	/** Writes what waits, for a moment at most. */
	close(): void {
		clearTimeout(this.#timer);
		const deadline = Date.now() + closeMs;
		while (this.#waiting.length > 0 && Date.now() < deadline) {
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
			this.#drain();
		}
		clearTimeout(this.#timer);
		if (this.#isOwnFd) closeSync(this.#fd);
	}

	#send(bytes: Buffer): void {
		if (this.#loss) {
			const loss = this.#loss;
			this.#loss = undefined;
			const report = Buffer.from(`${this.#isMidLine ? '\n' : ''}${this.#lossLine(loss)}`);
			if (!this.#tryWrite(report, 0)) {
				// TypeScript does not see that the failed write has noted a loss.
				const again = this.#loss as Loss | undefined;
				this.#loss = { lines: loss.lines, code: again?.code ?? loss.code };
				this.#lose(bytes, this.#loss.code);
				return;
			}
			if (this.#waiting.length > 0) {
				this.#wait(bytes);
				return;
			}
		}
		this.#tryWrite(bytes, countLines(bytes));
	}

	/** Writes the bytes or lets them wait; `false` where they are lost. */
	#tryWrite(bytes: Buffer, lines: number): boolean {
		let rest = bytes;
		try {
			while (rest.length > 0) {
				const written = writeSync(this.#fd, rest);
				rest = rest.subarray(written);
				this.#isMidLine = rest.length > 0;
			}
			return true;
		} catch (error) {
			const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
			if (code === 'EAGAIN') {
				this.#waiting.unshift(rest);
				this.#waitingBytes += rest.length;
				this.#schedule();
				return true;
			}
			this.#note(lines, code);
			return false;
		}
	}

	#wait(bytes: Buffer): void {
		this.#waiting.push(bytes);
		this.#waitingBytes += bytes.length;
		this.#schedule();
	}

	#schedule(): void {
		this.#timer ??= setTimeout(() => {
			this.#timer = undefined;
			this.#drain();
		}, retryMs);
		this.#timer.unref();
	}

	#drain(): void {
		const waiting = Buffer.concat(this.#waiting);
		this.#waiting = [];
		this.#waitingBytes = 0;
		if (waiting.length > 0) this.#tryWrite(waiting, countLines(waiting));
	}

	#lose(bytes: Buffer, code: string): void {
		this.#note(countLines(bytes), code);
	}

	#note(lines: number, code: string): void {
		this.#loss = { lines: (this.#loss?.lines ?? 0) + lines, code };
	}
}

function countLines(bytes: Buffer): number {
	return bytes.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0);
}

/**
 * A descriptor of our own for a terminal or a pipe, with which a write does not wait for the reader. The flag must not be set on the given
 * one, which belongs to the shell as well. Undefined where there is none, or none is needed (a file).
 */
function openNonBlocking(fd: number): number | undefined {
	try {
		const stat = fstatSync(fd);
		if (process.platform !== 'linux' || !(stat.isFIFO() || stat.isCharacterDevice())) return undefined;
		return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
	} catch {
		return undefined;
	}
}
