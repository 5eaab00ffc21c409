// Hostile input: 10,000 frames that no client should send, each against a connection of its own, and a part of them over real
// sockets with half-open and broken connections among them. Each gets the close code that it deserves, and a decent client is
// served all the while. `FUZZ_INPUTS=10000` sends as many over sockets as well.
import { connect, type Socket } from 'node:net';
import { systemClock } from '@shardctl/core';
import { defaultRules, GatewayConnection, SessionStore } from '@shardctl/gateway-protocol';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { randomStream } from '../src/world/random.js';
import { connected, simulator } from './raw-client.js';

const random = randomStream(20_261_120);
const int = (below: number) => Math.floor(random() * below);
const noise = Buffer.from(Array.from({ length: 32 * 1024 }, () => int(256)));
const bytes = (length: number) => noise.subarray(int(noise.length - length)).subarray(0, length);
const huge = 'x'.repeat(1024 * 1024 + 1);
const one = <T>(list: readonly T[]): T => list[int(list.length)] as T;

function garbage(depth = 0): unknown {
	const leaf = [null, true, int(1e9), -1, 1.5, '', 'x'.repeat(int(40)), '__proto__', [], {}];
	if (depth > 3 || random() < 0.5) return one(leaf);
	return random() < 0.5
		? [garbage(depth + 1)]
		: { [one(['op', 'd', 'token', '__proto__', 'constructor', 'shard'])]: garbage(depth + 1) };
}

interface Attack {
	data: string | Buffer;
	/** The codes that it may be closed with. */
	codes: number[];
}

/** Each kind of attack with what has to come of it. */
const attacks: (() => Attack)[] = [
	() => ({ data: bytes(1 + int(200)), codes: [4002] }),
	() => ({ data: one(['{', '{"op":', 'nul', '{"op":1,"d":nul}', "{'op':1}", '"', '{"op":1}{"op":1}', '\u0000']), codes: [4002] }),
	() => ({ data: `${'['.repeat(1 + int(3000))}`, codes: [4002] }),
	() => ({ data: JSON.stringify(one([null, 1, 'x', [], [1], true])), codes: [4002] }),
	() => ({
		data: JSON.stringify({ op: one([5, 7, 9, 10, 11, 0, 99, -1, 1.5, '2', null, 2 ** 40]), d: garbage() }),
		codes: [4001],
	}),
	() => ({ data: `{"op":1,"d":"${'x'.repeat(4096 + int(3000))}"}`, codes: [4002] }),
	() => ({ data: bytes(4097 + int(5000)), codes: [4002] }),
	() => (random() < 0.05 ? { data: huge, codes: [1009] } : { data: bytes(4097 + int(5000)), codes: [4002] }),
	() => ({ data: JSON.stringify({ op: one([3, 4, 8, 31, 43]), d: garbage() }), codes: [4003] }),
	() => ({ data: JSON.stringify({ op: one([2, 6]), d: garbage() }), codes: [4001] }),
	() => ({ data: JSON.stringify({ op: 1, d: one(['x', -1, 1.5, {}, [], true]) }), codes: [4001] }),
	() => ({
		data: JSON.stringify({ op: 2, d: { token: 'x'.repeat(int(500)), properties: {}, intents: int(1e6) } }),
		codes: [4004],
	}),
	() => ({
		data: JSON.stringify({ op: 6, d: { token: one(['', '__proto__', 'x']), session_id: 'toString', seq: int(10) } }),
		codes: [4004],
	}),
];

async function attack(port: number, { data, codes }: Attack): Promise<string | undefined> {
	const socket = new WebSocket(`ws://127.0.0.1:${port}/?v=10&encoding=json`);
	socket.on('error', () => {});
	socket.once('open', () => socket.send(data));
	const code = await new Promise<number>((resolve) => socket.once('close', resolve));
	return codes.includes(code) ? undefined : `${String(data).slice(0, 80)} → ${code}, not ${codes.join(' or ')}`;
}

/** Connections that break below the level of messages: half a handshake, an unmasked frame, noise, a sudden end. */
async function rawAttack(port: number): Promise<void> {
	const socket: Socket = connect(port, '127.0.0.1');
	socket.on('error', () => {});
	const handshake =
		'GET /?v=10 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
	const start = one([
		'GET ',
		'NONSENSE\r\n\r\n',
		handshake,
		`${handshake}Sec-WebSocket-Key: short\r\n\r\n`,
		`${handshake}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
		`${handshake.replace('/?v=10', `/${'x'.repeat(int(20_000))}`)}\r\n`,
	]);
	await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
	socket.write(start);
	socket.write(bytes(int(300)));
	await new Promise((resolve) => setImmediate(resolve));
	socket.destroy();
}

/** The code with which a connection of the simulator's gateway answers a frame, without sockets. */
function closeCodeOf(sessions: SessionStore, data: string | Buffer): number | undefined {
	let code: number | undefined;
	const info = { id: 1, remoteAddress: '', host: '', path: '/', version: 10, compression: 'none' } as const;
	const transport = { send: () => {}, close: (given: number) => (code = given), terminate: () => {} };
	const connection = new GatewayConnection(info, transport, {
		clock: systemClock,
		backend: {
			authenticate: () => false,
			grantedIntents: () => 0,
			identify: () => ({ accept: true }),
			sessionStarted: () => {},
			sessionEnded: () => {},
			request: () => {},
		},
		sessions,
		rules: defaultRules,
		observe: () => {},
		onClosed: () => {},
		enablePayloadCompression: () => {},
	});
	connection.receive(Buffer.from(data), typeof data !== 'string');
	connection.closed(1006);
	return code;
}

test('10,000 malformed, oversized and binary frames each get the right close code', () => {
	const sessions = new SessionStore({ clock: systemClock, ttlMs: 1000, onEnd: () => {} });
	const wrong: string[] = [];
	for (let n = 0; n < 10_000; n++) {
		const { data, codes } = one(attacks)();
		if (codes.includes(1009)) continue;
		const code = closeCodeOf(sessions, data);
		if (code === undefined || !codes.includes(code))
			wrong.push(`${String(data).slice(0, 80)} → ${code}, not ${codes.join(' or ')}`);
	}
	expect(wrong).toEqual([]);
	expect(sessions.size).toBe(0);
});

test('hostile frames, half-open and broken connections over real sockets never stop the simulator', async () => {
	const sim = await simulator({ guilds: 2, logCapacity: 1000, heartbeatGraceFactor: 1000 });
	// It sends no heartbeat while the attack lasts, however slow the machine is; hence the patience above.
	const decent = await connected(sim);
	const wrong: string[] = [];
	let left = Number(process.env.FUZZ_INPUTS ?? 1500);
	const worker = async () => {
		while (left-- > 0) {
			if (left % 5 === 0) await rawAttack(sim.port);
			else {
				const problem = await attack(sim.port, one(attacks)());
				if (problem) wrong.push(problem);
			}
		}
	};
	await Promise.all(Array.from({ length: 32 }, worker));
	expect(wrong).toEqual([]);
	await decent.settled();
	sim.emit('MESSAGE_CREATE', { content: 'still here' });
	expect((await decent.next('MESSAGE_CREATE')).d.content).toBe('still here');
	expect(sim.state().sessions).toHaveLength(1);
	expect(sim.log.entries().length).toBeLessThanOrEqual(1100);
}, 120_000);
