// What it costs a gateway process to inflate one message of Discord's zlib-stream, and what that saves on the wire: by the reader
// that it uses, and by Node's streams, as @discordjs/ws does it. Of many short stretches the fastest counts, since everything else on the
// machine only adds to them: `node test/bench/upstream-compression.mjs`.
import { constants, createDeflate, createInflate } from 'node:zlib';
import { Inflater } from '../../packages/gateway/dist/upstream/inflater.js';

const message = (n, words) =>
	JSON.stringify({
		op: 0,
		s: n,
		t: 'MESSAGE_CREATE',
		d: {
			id: String(1_000_000_000_000_000_000n + BigInt(n)),
			channel_id: '1234567890123456789',
			guild_id: '111111111111111111',
			content: Array.from({ length: words }, (_, k) => ((n * (k + 3) * 7919) % 99_991).toString(36)).join(' '),
			author: { id: '9876543210987654321', username: `user${n % 100}`, avatar: null },
			timestamp: new Date(1.7e12 + n * 37).toISOString(),
			mentions: [],
			attachments: [],
			embeds: [],
		},
	});

async function compress(texts) {
	const deflate = createDeflate({ flush: constants.Z_SYNC_FLUSH });
	const messages = [];
	let pieces = [];
	deflate.on('data', (piece) => pieces.push(piece));
	for (const text of texts) {
		await new Promise((resolve) => deflate.write(text, resolve));
		messages.push(Buffer.concat(pieces));
		pieces = [];
	}
	return messages;
}

function stretchesOf(messages) {
	return Array.from({ length: Math.floor(messages.length / 50) }, (_, n) => messages.slice(50 * n, 50 * (n + 1)));
}

function bySynchronousReader(messages) {
	const inflater = new Inflater();
	let length = 0;
	let us = Number.POSITIVE_INFINITY;
	for (const stretch of stretchesOf(messages)) {
		const startedAt = performance.now();
		for (const bytes of stretch) length += inflater.push(bytes).length;
		us = Math.min(us, ((performance.now() - startedAt) * 1000) / stretch.length);
	}
	return { us, length };
}

async function byStreams(messages) {
	const inflate = createInflate({ flush: constants.Z_SYNC_FLUSH, chunkSize: 65_535 });
	let pieces = [];
	inflate.on('data', (piece) => pieces.push(piece));
	let length = 0;
	let us = Number.POSITIVE_INFINITY;
	for (const stretch of stretchesOf(messages)) {
		const startedAt = performance.now();
		for (const bytes of stretch) {
			await new Promise((resolve) => inflate.write(bytes, resolve));
			length += Buffer.concat(pieces).toString().length;
			pieces = [];
		}
		us = Math.min(us, ((performance.now() - startedAt) * 1000) / stretch.length);
	}
	return { us, length };
}

for (const words of [5, 60, 800]) {
	const texts = Array.from({ length: words > 100 ? 5000 : 20_000 }, (_, n) => message(n, words));
	const messages = await compress(texts);
	bySynchronousReader(messages.slice(0, 2000));
	const [ours, streams] = [bySynchronousReader(messages), await byStreams(messages)];
	if (ours.length !== streams.length) throw new Error('the two readers do not agree');
	const mean = (list) => Math.round(list.reduce((sum, { length }) => sum + length, 0) / list.length);
	console.log(
		`${mean(texts)} bytes, ${mean(messages)} on the wire: ${ours.us.toFixed(1)} µs a message; by Node's streams ${streams.us.toFixed(1)} µs`,
	);
}
