import fs from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { leadDescriptors } from './own-descriptors.js';

const { write, writeSync } = fs;
afterEach(() => {
	Object.assign(fs, { write, writeSync });
	vi.restoreAllMocks();
});

/** What reaches the thread's own streams. */
function setup() {
	const written: string[] = [];
	for (const name of ['stdout', 'stderr'] as const) {
		vi.spyOn(process[name], 'write').mockImplementation(((bytes: Buffer, done?: (error?: Error) => void) => {
			written.push(`${name} ${bytes.toString()}`);
			done?.();
			return true;
		}) as never);
	}
	leadDescriptors();
	return written;
}

it('leads text and parts of buffers that are written to 1 and 2 into the own streams', () => {
	const written = setup();
	expect(fs.writeSync(1, 'größe', null, 'utf8')).toBe(7);
	// As sonic-boom, the stream of pino, calls it.
	expect(fs.writeSync(2, 'line', 'utf8' as never)).toBe(4);
	expect(fs.writeSync(1, Buffer.from('0123456'), 2, 3)).toBe(3);
	expect(fs.writeSync(1, Buffer.from('0123456'), { offset: 5 } as never)).toBe(2);
	expect(fs.writeSync(1, new Uint8Array([65, 66]))).toBe(2);
	expect(written).toEqual(['stdout größe', 'stderr line', 'stdout 234', 'stdout 56', 'stdout AB']);
});

it('calls back with what was written', async () => {
	const written = setup();
	const result = await new Promise((resolve) => {
		fs.write(1, 'later', (error, bytes, text) => resolve([error, bytes, text]));
	});
	expect(result).toEqual([null, 5, 'later']);
	expect(written).toEqual(['stdout later']);
});

it('leaves other descriptors alone', () => {
	const written = setup();
	expect(() => fs.writeSync(999_999, 'x')).toThrow('EBADF');
	expect(written).toEqual([]);
});
