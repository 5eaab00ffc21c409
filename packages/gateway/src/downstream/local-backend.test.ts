import { allIntents, WorkerPaths } from '@shardctl/core';
import type { ClientRequest, ConnectionInfo, IdentifyPayload, SessionOptions } from '@shardctl/gateway-protocol';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { LocalBackend } from './local-backend.js';
import type { WorkerDoor } from './worker-door.js';
import { WorkerSession } from './worker-session.js';

const info = (path = '/'): ConnectionInfo => ({ id: 1, remoteAddress: '', host: '', path, version: 10, compression: 'none' });
const identify = (shard?: [number, number]): IdentifyPayload => ({ token: 't', properties: {}, intents: 1, shard });

function setup() {
	const clock = fakeClock();
	const asked: unknown[] = [];
	const requests: ClientRequest[] = [];
	const notices: string[] = [];
	const refused: unknown[] = [];
	const shard = {
		createSession: (options: SessionOptions) => new WorkerSession(options, { canResume: () => 'yes', resume: () => 0 }),
		identify: async (_: IdentifyPayload, incarnation: number | undefined) => {
			asked.push(incarnation);
			return { accept: true };
		},
		request: (_: unknown, request: ClientRequest) => requests.push(request),
	};
	const backend = new LocalBackend({
		token: 'secret',
		paths: new WorkerPaths(undefined),
		shardsOf: (count) => (count === 4 ? new Map([[2, shard as unknown as WorkerDoor]]) : undefined),
		clock,
		onRefused: (detail) => notices.push(detail),
		onWrongShard: (connection) => refused.push(connection),
		onFlood: (shardId) => notices.push(`flood on ${shardId}`),
	});
	const session = () => {
		const closed: number[] = [];
		const made = backend.createSession({ id: 's', shard: [2, 4], identify: identify([2, 4]), clock });
		made.attach({ id: 1, sendFrame() {}, requestHeartbeat() {}, sessionLost() {}, close: (code) => closed.push(code) });
		return { made, closed };
	};
	return { backend, asked, requests, notices, refused, session, clock };
}

it('accepts the token with and without its prefix, and reports any other without repeating it', () => {
	const { backend, notices } = setup();
	expect(['secret', 'Bot secret', 'secret ', '', 'Bot '].map((token) => backend.authenticate(token))).toEqual([
		true,
		true,
		false,
		false,
		false,
	]);
	expect(notices).toHaveLength(3);
	expect(notices.join()).not.toContain('secret');
});

it('leaves the check of the allowed intents to Discord', () => {
	expect(setup().backend.grantedIntents()).toBe(allIntents);
});

it('passes an IDENTIFY to its shard, with the incarnation from the path', async () => {
	const { backend, asked } = setup();
	for (const path of ['/worker/17', '/worker/17/', '/', '/worker/x']) {
		expect(await backend.identify(identify([2, 4]), info(path))).toEqual({ accept: true });
	}
	expect(asked).toEqual([17, 17, undefined, undefined]);
});

it.each([[[1, 4]], [[2, 3]], [undefined]] as [[number, number] | undefined][])(
	'closes an IDENTIFY for shard %j with 4010',
	(shard) => {
		const { backend, notices, refused } = setup();
		expect(backend.identify(identify(shard), info())).toMatchObject({ accept: false, close: 4010 });
		expect(notices).toEqual([expect.stringMatching(/is not in this gateway process/)]);
		expect(refused).toEqual([]);
		void backend.identify(identify(shard), info('/worker/17'));
		expect(refused).toEqual([{ incarnation: 17, shardId: shard?.[0] ?? 0, status: 'refused', closeCode: 4010 }]);
	},
);

it('forwards 120 requests a minute, and closes a session that sends more', async () => {
	const { backend, requests, notices, session, clock } = setup();
	const { made, closed } = session();
	const request: ClientRequest = { op: 31, d: { guild_ids: [] } };
	for (let n = 0; n < 121; n++) backend.request(made, request);
	expect([requests.length, closed, notices]).toEqual([120, [4008], ['flood on 2']]);
	await clock.advance(60_000);
	backend.request(made, request);
	expect(requests).toHaveLength(121);
	// Each session has a budget of its own.
	backend.request(session().made, request);
	expect(requests).toHaveLength(122);
});
