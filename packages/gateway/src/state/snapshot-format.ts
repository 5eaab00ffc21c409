// The bytes of a shard's state: a fixed head (mark, version, length, CRC-32), then READY and one part per guild. Guilds that are
// frozen are copied as they are. A file of another version is refused, never guessed at.
import { crc32 } from 'node:zlib';
import { ShardctlError } from '@shardctl/core';
import { FrozenGuild, type GuildCodec } from './frozen-guild.js';
import { objectOf, type RawObject } from './raw.js';

const mark = 0x5c_5d_53_01;
const version = 1;
const headBytes = 16;
const guildHeadBytes = 16;

/** How a guild is stored, by number. */
const kinds: readonly (GuildCodec | 'away')[] = ['away', 'plain', 'deflate'];

/** How much is put together before the next piece is begun. */
const pieceBytes = 256 * 1024;

export interface SavedGuild {
	id: string;
	content: FrozenGuild | undefined;
}

export interface Snapshot {
	ready: RawObject;
	guilds: SavedGuild[];
}

/**
 * Encodes a state guild by guild, so that other work can run between two of them; returns the bytes in pieces.
 * @param guilds asked for one at a time
 */
export function* encodeSnapshot(ready: RawObject, count: number, guilds: Iterable<SavedGuild>): Generator<void, Uint8Array[]> {
	const pieces: Uint8Array[] = [];
	let parts: Uint8Array[] = [];
	let waiting = 0;
	let bodyBytes = 0;
	let checksum = 0;
	const add = (...more: Uint8Array[]) => {
		parts.push(...more);
		for (const { length } of more) waiting += length;
	};
	const endPiece = () => {
		const piece = Buffer.concat(parts);
		pieces.push(piece);
		checksum = crc32(piece, checksum);
		bodyBytes += piece.length;
		parts = [];
		waiting = 0;
	};
	const readyText = Buffer.from(JSON.stringify(ready));
	const begin = Buffer.alloc(8);
	begin.writeUInt32LE(readyText.length, 0);
	begin.writeUInt32LE(count, 4);
	add(begin, readyText);
	for (const { id, content } of guilds) {
		const idText = Buffer.from(id);
		const users = content?.users ?? new Uint32Array();
		const data = content?.data ?? new Uint8Array();
		const head = Buffer.alloc(guildHeadBytes);
		head.writeUInt32LE(kinds.indexOf(content?.codec ?? 'away'), 0);
		head.writeUInt32LE(idText.length, 4);
		head.writeUInt32LE(users.length, 8);
		head.writeUInt32LE(data.length, 12);
		add(head, idText, new Uint8Array(users.buffer, users.byteOffset, users.byteLength), data);
		if (waiting >= pieceBytes) endPiece();
		yield;
	}
	endPiece();
	const head = Buffer.alloc(headBytes);
	head.writeUInt32LE(mark, 0);
	head.writeUInt32LE(version, 4);
	head.writeUInt32LE(bodyBytes, 8);
	head.writeUInt32LE(checksum, 12);
	return [head, ...pieces];
}

function invalid(what: string, details: Record<string, unknown> = {}): ShardctlError {
	return new ShardctlError('SNAPSHOT_INVALID', `the saved state cannot be used: ${what}; the session must start again`, {
		details,
	});
}

/** @throws `SNAPSHOT_INVALID` */
export function decodeSnapshot(input: Uint8Array): Snapshot {
	const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
	if (bytes.length < headBytes || bytes.readUInt32LE(0) !== mark) throw invalid('it is no state of a shard');
	const found = bytes.readUInt32LE(4);
	if (found !== version) throw invalid(`it is of version ${found}, and this is version ${version}`, { found, version });
	const body = bytes.subarray(headBytes);
	const expected = bytes.readUInt32LE(8);
	if (body.length !== expected) throw invalid(`it has ${body.length} bytes where it should have ${expected}`);
	if (crc32(body) !== bytes.readUInt32LE(12)) throw invalid('its checksum is wrong');
	return decodeBody(body);
}

/** The checksum was right, so whatever does not fit was written so. */
function decodeBody(body: Buffer): Snapshot {
	let at = 0;
	const take = (length: number): Buffer => {
		at += length;
		return body.subarray(at - length, at);
	};
	const begin = take(8);
	const ready = objectOf(JSON.parse(take(begin.readUInt32LE(0)).toString()));
	if (!ready) throw invalid('it has no READY');
	const guilds = Array.from({ length: begin.readUInt32LE(4) }, () => {
		const head = take(guildHeadBytes);
		const kind = kinds[head.readUInt32LE(0)] ?? 'away';
		const id = take(head.readUInt32LE(4)).toString();
		// Copies: the buffer may be aligned in any way, and must not be kept alive for the one guild that stays frozen.
		const users = new Uint32Array(new Uint8Array(take(head.readUInt32LE(8) * 4)).buffer);
		const data = new Uint8Array(take(head.readUInt32LE(12)));
		return { id, content: kind === 'away' ? undefined : new FrozenGuild(kind, data, users) };
	});
	return { ready, guilds };
}
