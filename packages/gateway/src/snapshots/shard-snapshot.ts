// One shard's snapshot as bytes: a line with the form's version and a checksum, a line of facts, the state. Whatever is cut
// off, changed or of another version is refused as a whole.
import { createHash } from 'node:crypto';
import { ShardctlError } from '@shardctl/core';
import type { VoicePlace } from '../shard/voice-memory.js';
import { ShardState } from '../state/shard-state.js';
import type { SavedSession } from '../upstream/upstream-shard.js';

const form = 'shardctl-gateway-snapshot 2';

export interface ShardSnapshot {
	shardId: number;
	totalShards: number;
	/** How many sessions the bot has with Discord. */
	sessions: number;
	session: SavedSession;
	/** Discord's number of the event at which the state stands. */
	seq: number;
	/** Our position of that event. */
	cursor: number;
	/** Position through which every event of the shard is in the state: later ones of the session were for other shards. */
	through: number;
	botId: string;
	/** The voice channels that the bot is in. */
	voice: VoicePlace[];
	state: ShardState;
}

type Facts = Omit<ShardSnapshot, 'state'>;

export function encodeSnapshot({ state, ...facts }: ShardSnapshot): Uint8Array {
	const body = Buffer.concat([Buffer.from(`${JSON.stringify(facts)}\n`), state.serialize()]);
	return Buffer.concat([Buffer.from(`${form} ${checksum(body)}\n`), body]);
}

/** Throws `PROTOCOL_ERROR` for anything but what {@link encodeSnapshot} made. */
export function decodeSnapshot(data: Uint8Array): ShardSnapshot {
	const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
	const firstLine = bytes.indexOf(10);
	const body = bytes.subarray(firstLine + 1);
	if (firstLine < 0 || bytes.subarray(0, firstLine).toString() !== `${form} ${checksum(body)}`) {
		throw new ShardctlError('PROTOCOL_ERROR', 'the snapshot is cut off, damaged or of another version');
	}
	const secondLine = body.indexOf(10);
	const facts = JSON.parse(body.subarray(0, secondLine).toString()) as Facts;
	return { ...facts, state: ShardState.restore(body.subarray(secondLine + 1)) };
}

function checksum(body: Uint8Array): string {
	return createHash('sha256').update(body).digest('base64url');
}
