// Where a hung process hangs. node's inspector lives on a thread of its own, which a SIGUSR1 wakes even in a busy loop, so
// nothing has to be prepared and a healthy process pays nothing. (`--report-on-signal` is no help: node handles that signal on
// the main thread, which is the one that hangs.)
import { guardListener } from '@shardctl/core';
import { WebSocket } from 'ws';
import { type CallFrame, frameTexts } from './call-frames.js';

/** One message of the protocol; a paused stack with its scopes is far below that. */
const maxMessageBytes = 4 * 2 ** 20;

/**
 * The JavaScript frames that the process behind this inspector is in, innermost first; empty when none can be had before the
 * signal aborts. The process continues afterwards.
 * Chrome DevTools Protocol: `Debugger.pause` interrupts running JavaScript at its next statement or loop edge.
 */
export function hungStack(inspectorUrl: string, signal: AbortSignal): Promise<string[]> {
	if (signal.aborted) return Promise.resolve([]);
	return new Promise((resolve) => {
		const socket = new WebSocket(inspectorUrl, { maxPayload: maxMessageBytes, perMessageDeflate: false });
		const end = (frames: string[]) => {
			signal.removeEventListener('abort', giveUp);
			// Closing the last session lets the process run on.
			socket.terminate();
			resolve(frames);
		};
		const giveUp = () => end([]);
		signal.addEventListener('abort', giveUp, { once: true });
		socket.on('error', giveUp);
		socket.on('close', giveUp);
		socket.on('open', () => {
			socket.send(JSON.stringify({ id: 1, method: 'Debugger.enable' }));
			socket.send(JSON.stringify({ id: 2, method: 'Debugger.pause' }));
		});
		// What it says is the child's, and may be anything.
		socket.on(
			'message',
			guardListener((data: Buffer) => {
				const frames = pausedFrames(data.toString('utf8'));
				if (frames) end(frameTexts(frames));
			}, giveUp),
		);
	});
}

/** The frames, when this is the message that says where the process was paused. */
function pausedFrames(text: string): CallFrame[] | undefined {
	// Thousands of messages name the scripts that are loaded; they are not worth parsing.
	if (!text.startsWith('{"method":"Debugger.paused"')) return undefined;
	try {
		return (JSON.parse(text) as { params: { callFrames: CallFrame[] } }).params.callFrames;
	} catch {
		return [];
	}
}
