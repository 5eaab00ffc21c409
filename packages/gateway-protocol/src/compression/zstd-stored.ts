// Writes a valid zstd stream without compressing: the frame header, then each payload as raw blocks. Any decoder reads it.
// RFC 8878, sections 3.1.1 (frames) and 3.1.1.2 (blocks).

const magic = [0x28, 0xb5, 0x2f, 0xfd];
/** No content size, no checksum, no dictionary; a window of 128 KiB (exponent 7 above 2^10). */
const header = Buffer.from([...magic, 0x00, 7 << 3]);
const maxBlockBytes = 128 * 1024;
const rawBlock = 0;

export class StoredZstd {
	#begun = false;

	write(payload: Buffer): Buffer {
		const pieces: Buffer[] = this.#begun ? [] : [header];
		this.#begun = true;
		for (let at = 0; at < payload.length; at += maxBlockBytes) {
			const block = payload.subarray(at, at + maxBlockBytes);
			const blockHeader = Buffer.alloc(3);
			// Bit 0: last block (never); bits 1 and 2: the type; the rest: the size.
			blockHeader.writeUIntLE((block.length << 3) | (rawBlock << 1), 0, 3);
			pieces.push(blockHeader, block);
		}
		return Buffer.concat(pieces);
	}
}
