// One WebSocket message from a client → one operation, or the close code it deserves. And the frames that carry no event.

import type { CloseCode } from '@shardctl/core';
import { parseJsonKeepingIds } from './json.js';
import { clientOps, op } from './opcodes.js';

/** Discord: Gateway, "Sending Events": larger client frames close the connection with 4002. */
export const maxClientFrameBytes = 4096;

export type DecodedFrame = { op: number; d: unknown } | { close: CloseCode; detail: string };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a client's frame. Nothing that a client sends makes it throw. */
export function decodeClientFrame(data: Uint8Array, isBinary: boolean): DecodedFrame {
	if (data.byteLength > maxClientFrameBytes) return { close: 4002, detail: `${data.byteLength} bytes` };
	if (isBinary) return { close: 4002, detail: 'a binary frame where JSON text was agreed' };
	let payload: unknown;
	try {
		payload = parseJsonKeepingIds(utf8.decode(data));
	} catch {
		return { close: 4002, detail: 'not JSON' };
	}
	if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return { close: 4002, detail: 'not an object' };
	const { op: opcode, d } = payload as { op?: unknown; d?: unknown };
	if (typeof opcode !== 'number' || !clientOps.has(opcode)) return { close: 4001, detail: `op ${JSON.stringify(opcode)}` };
	return { op: opcode, d };
}

/** A frame that is no dispatch: `s` and `t` are null there. */
export function encodeControl(opcode: number, d: unknown): string {
	return JSON.stringify({ op: opcode, d, s: null, t: null });
}

export const heartbeatAckFrame: string = encodeControl(op.heartbeatAck, null);
export const heartbeatRequestFrame: string = encodeControl(op.heartbeat, null);
export const reconnectFrame: string = encodeControl(op.reconnect, null);
