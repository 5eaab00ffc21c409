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
	const line = { ready: true };
	const queue = new RequestQueue({ clock, isReady: () => line.ready, send: (request) => sent.push(request) });
	return { clock, sent, line, queue };
}

it('holds requests until the connection takes them', () => {
	const { queue, sent, line } = setup();
	line.ready = false;
	queue.push(voice);
	expect(sent).toEqual([]);
	line.ready = true;
	queue.connected();
	expect(sent).toEqual([voice]);
});

it('stays within the budget of a minute, and goes on in the next', async () => {
	const { queue, sent, clock } = setup();
	for (let nonce = 0; nonce < 150; nonce++) queue.push(members(nonce));
	expect(sent).toHaveLength(110);
	await clock.advance(60_000);
	expect(sent).toHaveLength(150);
});

it('lets operations take turns, so that a flood of one does not hold up another', () => {
	const { queue, sent, line } = setup();
	line.ready = false;
	for (let nonce = 0; nonce < 300; nonce++) queue.push(members(nonce));
	queue.push(voice);
	line.ready = true;
	queue.flush();
	expect(sent.indexOf(voice)).toBeLessThanOrEqual(1);
});

it('sends only the last of several presences, and drops and counts what is too much', () => {
	const { queue, sent, line } = setup();
	line.ready = false;
	for (const status of ['idle', 'dnd', 'online']) queue.push(presence(status));
	for (let nonce = 0; nonce < 600; nonce++) queue.push(members(nonce));
	line.ready = true;
	queue.flush();
	expect(sent.filter(({ op }) => op === 3)).toEqual([presence('online')]);
	expect(queue.dropped).toBe(100);
	queue.stop();
});
