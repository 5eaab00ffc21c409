// What stands on the wire: one envelope with our mark and the sender's epoch, and in it the frames of one tick. Builds and
// recognises them; what they do is the peer's business.

/**
 * The key that marks an IPC message as ours. No other library uses it, so a bot's own messages and those of discord.js
 * (`_eval`, `_ready`, …), discord-hybrid-sharding (`_type`) and Node (`cmd: 'NODE_*'`) pass beside it.
 */
const mark = '@shardctl';

/** Frames are arrays that open with one of these. */
export const kind = {
	/** `[kind, id, method, params, tagged?]` */
	request: 0,
	/** `[kind, id, value, tagged?]` */
	result: 1,
	/** `[kind, id, thrown]`; what was thrown is always in the tagged form of the value codec. */
	failure: 2,
	/** `[kind, id, code]`; the caller no longer waits: `CALL_CANCELLED` or `CALL_TIMEOUT`. */
	cancel: 3,
	/** `[kind, name, payload, tagged?]` */
	event: 4,
} as const;

export type Frame = readonly [(typeof kind)[keyof typeof kind], ...unknown[]];

export interface Envelope {
	[mark]: number;
	frames: readonly unknown[];
}

export function envelope(epoch: number, frames: readonly Frame[]): Envelope {
	return { [mark]: epoch, frames };
}

/**
 * Whether an IPC message carries our mark, well-formed or not. Such a message belongs to the peer and is kept from everyone
 * else; every other message belongs to the bot.
 */
export function isFrame(message: unknown): boolean {
	return typeof message === 'object' && message !== null && Object.hasOwn(message, mark);
}

/** Reads an envelope; null when it is not one. The frames in it are not yet checked. */
export function openEnvelope(message: unknown): { epoch: number; frames: readonly unknown[] } | null {
	if (!isFrame(message)) return null;
	const { [mark]: epoch, frames } = message as Partial<Envelope>;
	return typeof epoch === 'number' && Array.isArray(frames) ? { epoch, frames } : null;
}
