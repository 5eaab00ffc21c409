// Frames and connections that no client of a gateway should send, each with the allowed close codes.
import { connect, type Socket } from 'node:net';

export interface Attack {
	data: string | Buffer;
	/** The allowed close codes. */
	codes: number[];
}

export interface HostileFrames {
	/** Each on a connection of its own that has not identified. */
	attack(): Attack;
	/** A connection that breaks below the level of messages: half a handshake, an unmasked frame, noise, a sudden end. */
	brokenConnection(port: number): Promise<void>;
}

/** @param random Numbers from 0 to below 1. */
export function hostileFrames(random: () => number): HostileFrames {
	const int = (below: number) => Math.floor(random() * below);
	const noise = Buffer.from(Array.from({ length: 32 * 1024 }, () => int(256)));
	const bytes = (length: number) => noise.subarray(int(noise.length - length)).subarray(0, length);
	const huge = 'x'.repeat(1024 * 1024 + 1);
	const one = <T>(list: readonly T[]): T => list[int(list.length)] as T;

	const garbage = (depth = 0): unknown => {
		const leaf = [null, true, int(1e9), -1, 1.5, '', 'x'.repeat(int(40)), '__proto__', [], {}];
		if (depth > 3 || random() < 0.5) return one(leaf);
		return random() < 0.5
			? [garbage(depth + 1)]
			: { [one(['op', 'd', 'token', '__proto__', 'constructor', 'shard'])]: garbage(depth + 1) };
	};

	/** Each kind of attack with its required outcome. */
	const attacks: (() => Attack)[] = [
		() => ({ data: bytes(1 + int(200)), codes: [4002] }),
		() => ({
			data: one(['{', '{"op":', 'nul', '{"op":1,"d":nul}', "{'op':1}", '"', '{"op":1}{"op":1}', '\u0000']),
			codes: [4002],
		}),
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
		() => ({ data: JSON.stringify({ op: 1, d: one(['x', 1.5, {}, [], true]) }), codes: [4001] }),
		() => ({
			data: JSON.stringify({ op: 2, d: { token: 'x'.repeat(int(500)), properties: {}, intents: int(1e6) } }),
			codes: [4004],
		}),
		() => ({
			data: JSON.stringify({ op: 6, d: { token: one(['', '__proto__', 'x']), session_id: 'toString', seq: int(10) } }),
			codes: [4004],
		}),
	];

	return {
		attack: () => one(attacks)(),
		async brokenConnection(port) {
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
		},
	};
}
