import type { ClientRequest } from '@shardctl/gateway-protocol';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { RequestQueue } from './request-queue.js';

const members = (nonce: number): ClientRequest => ({ op: 8, d: { guild_id: '1', query: '', limit: 0, nonce: String(nonce) } });
const voice: ClientRequest = { op: 4, d: { guild_id: '1', channel_id: null } };
const presence = (status: string): ClientRequest => ({ op: 3, d: { status } });

function setup() {
	const clock = fakeClock();
	const sent: ClientRequest[] = [];
	const dropping: number[] = [];
	const dropped: number[] = [];
	const line = { ready: true };
	const queue = new RequestQueue({
		clock,
		isReady: () => line.ready,
		send: (request) => sent.push(request),
		onDropping: (opcode) => dropping.push(opcode),
		onDropped: (count) => dropped.push(count),
	});
	const count = (opcode: number) => sent.filter((request) => request.op === opcode).length;
	return { clock, sent, dropping, dropped, line, queue, count };
}

it('holds requests until the connection accepts them', () => {
	const { queue, sent, line } = setup();
	line.ready = false;
	queue.push(voice);
	expect([sent, queue.waiting]).toEqual([[], 1]);
	line.ready = true;
	queue.connected();
	expect([sent, queue.waiting]).toEqual([[voice], 0]);
});

it('stays within the budget of every minute, and continues as soon as it may', async () => {
	const { queue, sent, clock } = setup();
	for (let n = 0; n < 150; n++) queue.push(voice);
	expect(sent).toHaveLength(110);
	await clock.advance(59_999);
	expect(sent).toHaveLength(110);
	await clock.advance(1);
	expect(sent).toHaveLength(150);
	// Not 110 more when a minute passes: 40 of this one are spent.
	for (let n = 0; n < 150; n++) queue.push(voice);
	expect(sent).toHaveLength(220);
	queue.stop();
});

it('reserves a part for voice and presence while a flood of member requests waits', async () => {
	const { queue, count, clock } = setup();
	for (let nonce = 0; nonce < 300; nonce++) queue.push(members(nonce));
	expect(count(8)).toBe(80);
	queue.push(voice);
	queue.push(presence('idle'));
	expect([count(4), count(3)]).toEqual([1, 1]);
	await clock.advance(60_000);
	expect(count(8)).toBe(160);
	queue.stop();
});

it('alternates between operations, so that a flood of one does not delay another', () => {
	const { queue, sent, line } = setup();
	line.ready = false;
	for (let nonce = 0; nonce < 300; nonce++) queue.push(members(nonce));
	queue.push(voice);
	line.ready = true;
	queue.flush();
	expect(sent.indexOf(voice)).toBeLessThanOrEqual(1);
	queue.stop();
});

it('sends only the last of several presences, and five in 20 s', async () => {
	const { queue, sent, line, count, clock } = setup();
	line.ready = false;
	for (const status of ['idle', 'dnd', 'online']) queue.push(presence(status));
	line.ready = true;
	queue.flush();
	expect(sent).toEqual([presence('online')]);
	for (let n = 0; n < 10; n++) queue.push(presence(String(n)));
	expect(count(3)).toBe(5);
	await clock.advance(20_000);
	expect([count(3), sent.at(-1)]).toEqual([6, presence('9')]);
});

it('drops and counts requests over the limit, and reports the begin and the end of that once', async () => {
	const { queue, line, dropping, dropped, clock } = setup();
	line.ready = false;
	for (let nonce = 0; nonce < 600; nonce++) queue.push(members(nonce));
	expect([queue.dropped, queue.waiting, dropping, dropped]).toEqual([100, 500, [8], []]);
	line.ready = true;
	queue.flush();
	await clock.advance(10 * 60_000);
	expect([queue.waiting, dropping, dropped]).toEqual([0, [8], [100]]);
	queue.stop();
});

it('drops the requests of a closed session, but not the presence', () => {
	const { queue, sent, line } = setup();
	const [dead, alive] = [{}, {}];
	line.ready = false;
	for (let nonce = 0; nonce < 300; nonce++) queue.push(members(nonce), dead);
	queue.push(voice, dead);
	queue.push(presence('idle'), dead);
	queue.push(members(1000), alive);
	queue.forget(dead);
	line.ready = true;
	queue.flush();
	expect(sent.map((request) => request.op).sort()).toEqual([3, 8]);
	expect(sent).toContainEqual(members(1000));
});
