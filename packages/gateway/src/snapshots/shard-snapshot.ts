// One shard's snapshot as bytes: a line with the version of the format and a checksum of the next line, a line of facts, and the state,
// which has a checksum of its own. A snapshot that is truncated, damaged or of another version is refused as a whole.
import { createHash } from 'node:crypto';
import { type Layout, ShardctlError } from '@shardctl/core';
import { ShardState } from '../state/shard-state.js';
import type { VoicePlace } from '../state/voice-places.js';
import type { SavedSession } from '../upstream/upstream-shard.js';

const name = 'shardctl-gateway-snapshot';
const version = 3;
const form = `${name} ${version}`;

export interface ShardSnapshot {
	shardId: number;
	layout: Layout;
	session: SavedSession;
	/** Discord's sequence number of the event at the cursor. */
	seq: number;
	/** The state's position. */
	cursor: number;
	/** Position through which every event of the shard is in the state: later ones of the session were for other shards. */
	through: number;
	botId: string;
	/** The voice channels that the bot is in. */
	voice: VoicePlace[];
	state: ShardState;
}

type Facts = Omit<ShardSnapshot, 'state'>;

/** Encodes in steps of a guild each, between which the state must not move; returns the bytes in pieces. */
export function* encodeSnapshot({ state, ...facts }: ShardSnapshot): Generator<void, Uint8Array[]> {
	const line = JSON.stringify(facts);
	return [Buffer.from(`${form} ${checksum(line)}\n${line}\n`), ...(yield* state.serialize())];
}

/** Throws `SNAPSHOT_INVALID` for anything but what {@link encodeSnapshot} made. */
export function decodeSnapshot(data: Uint8Array): ShardSnapshot {
	const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
	const firstLine = bytes.indexOf(10);
	const secondLine = bytes.indexOf(10, firstLine + 1);
	const line = bytes.subarray(firstLine + 1, secondLine).toString();
	const written = new RegExp(`^${name} (\\d{1,9}) `).exec(bytes.subarray(0, Math.max(0, firstLine)).toString())?.[1];
	if (written !== undefined && written !== String(version)) {
		throw new ShardctlError(
			'SNAPSHOT_INVALID',
			`the snapshot is of version ${written}, and this shardctl reads version ${version}; the session must start again`,
			{ details: { found: Number(written), version } },
		);
	}
	if (secondLine < 0 || bytes.subarray(0, firstLine).toString() !== `${form} ${checksum(line)}`) {
		throw new ShardctlError(
			'SNAPSHOT_INVALID',
			'the snapshot is truncated, damaged, or was written by another version of shardctl',
		);
	}
	return { ...(JSON.parse(line) as Facts), state: ShardState.restore(bytes.subarray(secondLine + 1)) };
}

function checksum(line: string): string {
	return createHash('sha256').update(line).digest('base64url');
}
