import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, expect, it, vi } from 'vitest';
import { redirectDescriptors } from './own-descriptors.js';

const { write, writeSync } = fs;
afterEach(() => {
	Object.assign(fs, { write, writeSync });
	syncBuiltinESMExports();
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
	redirectDescriptors();
	return written;
}

it('redirects text and parts of buffers that are written to 1 and 2 to the own streams', () => {
	const written = setup();
	expect(fs.writeSync(1, 'größe', null, 'utf8')).toBe(7);
	// As sonic-boom, the stream of pino, calls it.
	expect(fs.writeSync(2, 'line', 'utf8' as never)).toBe(4);
	expect(fs.writeSync(1, Buffer.from('0123456'), 2, 3)).toBe(3);
	expect(fs.writeSync(1, Buffer.from('0123456'), { offset: 5 } as never)).toBe(2);
	expect(fs.writeSync(1, new Uint8Array([65, 66]))).toBe(2);
	expect(written).toEqual(['stdout größe', 'stderr line', 'stdout 234', 'stdout 56', 'stdout AB']);
});

it.each([[0, 100], [5, 3], [8, 0], [-1, 3], [0, -1], [0.5, 2], [{ offset: 2, length: 6 }], [{ offset: 8 }]])(
	'refuses a range outside the buffer, as Node does: %o %o',
	(...range) => {
		const written = setup();
		// Of memory that it shares with others.
		const data = Buffer.from('0123456');
		const outOfRange = expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' });
		expect(() => fs.writeSync(1, data, ...(range as [number, number]))).toThrow(outOfRange);
		expect(() => fs.write(1, data, ...(range as [number, number]), undefined, () => {})).toThrow(outOfRange);
		expect(written).toEqual([]);
	},
);

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
