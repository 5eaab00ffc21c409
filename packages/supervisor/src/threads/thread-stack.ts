// Where a thread of this process hangs. The main thread reaches the inspector of each thread without a port, also that of a busy one.
// Node: Inspector, and the domain NodeWorker of its protocol.
import { Session } from 'node:inspector';
import { type CallFrame, frameTexts } from '../call-frames.js';

/** How long a thread may take to be interrupted; its owner does not wait longer. */
const timeoutMs = 3000;

/** There are hundreds of them, which are not worth parsing. */
const parsedScript = /^\{"method":"Debugger\.scriptParsed","params":\{"scriptId":"(\d+)","url":"([^"]*)"/;

/** The JavaScript frames that a thread is in, innermost first; empty when they cannot be had. The thread continues afterwards. */
export function threadStack(threadId: number): Promise<string[]> {
	const session = new Session();
	session.connect();
	// The types of node leave this domain out.
	const untyped = session as unknown as { on(event: string, listener: (message: { params: never }) => void): void };
	const on = <Params>(event: string, listener: (params: Params) => void) => untyped.on(event, ({ params }) => listener(params));
	const post = (method: string, params: object) => session.post(method, params);
	return new Promise<string[]>((resolve) => {
		let leave = () => {};
		const timer = setTimeout(() => {
			leave();
			resolve([]);
		}, timeoutMs);
		on('NodeWorker.attachedToWorker', ({ sessionId, workerInfo }: { sessionId: string; workerInfo: { title: string } }) => {
			if (Number(/\bworker (\d+)/i.exec(workerInfo.title)?.[1]) !== threadId) return;
			const ask = (id: number, method: string) =>
				post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method }) });
			// A thread that is paused, or about to be, cannot be ended.
			leave = () => ask(3, 'Debugger.disable');
			let frames: string[] = [];
			// Of a thread, frames have no address of their own: scripts were named before.
			const urls = new Map<string, string>();
			on('NodeWorker.receivedMessageFromWorker', (received: { sessionId: string; message: string }) => {
				if (received.sessionId !== sessionId) return;
				const script = parsedScript.exec(received.message);
				if (script) urls.set(script[1] as string, script[2] as string);
				else if (received.message.startsWith('{"method":"Debugger.paused"')) {
					const { params } = JSON.parse(received.message) as { params: { callFrames: CallFrame[] } };
					frames = frameTexts(
						params.callFrames.map((frame) => ({ ...frame, url: frame.url || (urls.get(frame.location.scriptId) ?? '') })),
					);
					leave();
				} else if (received.message.startsWith('{"id":3')) {
					clearTimeout(timer);
					resolve(frames);
				}
			});
			ask(1, 'Debugger.enable');
			ask(2, 'Debugger.pause');
		});
		post('NodeWorker.enable', { waitForDebuggerOnStart: false });
	}).finally(() => session.disconnect());
}
