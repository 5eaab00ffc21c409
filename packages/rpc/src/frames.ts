// The wire format: one envelope with our mark and the sender's epoch, and in it the frames of one tick. Builds and
// recognises them; what they do is the peer's business.

/**
 * The text that marks an IPC message as ours: a list that opens with it. No other library sends such a list, so a bot's own
 * messages and those of discord.js (`_eval`, `_ready`, …), discord-hybrid-sharding (`_type`) and Node (`cmd: 'NODE_*'`) pass
 * beside it. A list and no object, because reading an object's keys is slow in a process that knows many kinds of objects.
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

/** `[mark, epoch, frame, frame, …]`. The frames of a received one are not yet checked. */
export type Envelope = [typeof mark, number, ...unknown[]];

/** Where the frames begin in an {@link Envelope}. */
export const firstFrame = 2;

/** An envelope to push frames to. */
export function envelope(epoch: number): Envelope {
	return [mark, epoch];
}

/**
 * Whether an IPC message carries our mark, well-formed or not. Such a message belongs to the peer and is kept from everyone
 * else; every other message belongs to the bot.
 */
export function isFrame(message: unknown): boolean {
	return Array.isArray(message) && message[0] === mark;
}

export function isEnvelope(message: unknown): message is Envelope {
	return isFrame(message) && typeof (message as unknown[])[1] === 'number';
}

/** Size of a frame besides its value, in bytes. */
export const frameBytes = 48;
