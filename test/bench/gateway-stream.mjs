// What one event costs a gateway process between the library that parsed it and the socket of its worker: into the log, through the
// filter, as a frame, and into the state once the worker has said that it has it. Sockets are not in it.

import { WorkerSession } from '../../packages/gateway/dist/downstream/worker-session.js';
import { ShardStream } from '../../packages/gateway/dist/shard/shard-stream.js';
import { EncodedDispatch } from '../../packages/gateway-protocol/dist/index.js';

const clock = {
	now: () => Date.now(),
	monotonic: () => performance.now(),
	setTimeout: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
	clearTimeout: (timer) => clearTimeout(timer),
};
const stream = new ShardStream({
	delivery: 'at-most-once',
	buffer: { events: 50_000, bytes: 2 ** 26, ageMs: 600_000 },
	clock,
	notice: () => {},
	endSession: () => {},
	readyOverrides: () => ({}),
	savePoison: () => {},
});
stream.beginSession({ user: { id: '9' }, guilds: [{ id: '100' }] }, 1, 513);
stream.receive({ t: 'GUILD_CREATE', d: { id: '100', channels: [{ id: '200' }], members: [], roles: [] } }, 2);
await stream.whenReady();

let frames = 0;
let bytes = 0;
let last = 0;
let due = 0;
const session = new WorkerSession({ id: 'a', identify: { token: '', properties: {}, intents: 513 }, clock }, stream);
session.attach({
	id: 1,
	sendFrame(frame) {
		frames++;
		bytes += frame.length;
	},
	requestHeartbeat: () => due++,
	close: () => {},
	sessionLost: () => {},
});
stream.admit(session);

const text = EncodedDispatch.of('MESSAGE_CREATE', {
	id: '300',
	guild_id: '100',
	channel_id: '200',
	content: 'a small message',
	author: { id: '7', username: 'somebody', discriminator: '0', avatar: null },
	timestamp: '2026-01-01T00:00:00.000Z',
	mentions: [],
	attachments: [],
	embeds: [],
}).frame(1);
const run = (count) => {
	const startedAt = performance.now();
	for (let n = 0; n < count; n++) {
		// As it comes from the socket: text, which the library parses.
		const { t, d } = JSON.parse(text);
		stream.receive({ t, d }, ++last + 2);
		for (; due > 0; due--) stream.heartbeat(session, session.seq);
	}
	return count / ((performance.now() - startedAt) / 1000);
};
run(50_000);
const rates = Array.from({ length: 5 }, () => run(200_000)).sort((a, b) => a - b);
stream.stop();
const median = Math.round(rates[2]);
process.stdout.write(
	`${JSON.stringify({ eventsPerSecond: median, eventBytes: text.length, frames, megabytes: Math.round(bytes / 2 ** 20), counters: stream.counters })}\n`,
);
