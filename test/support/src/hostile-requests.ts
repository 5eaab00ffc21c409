// HTTP requests that no client should send: odd targets, headers, methods, framings and upgrades, as raw text from a seeded source.
import { connect } from 'node:net';

export interface HostileRequests {
	/** The text of one request. */
	request(): string;
	/** Sends one on its own connection and resolves with the status of the response, 0 if there was none. */
	send(port: number): Promise<number>;
}

const methods = [
	'GET',
	'GET',
	'GET',
	'POST',
	'PUT',
	'DELETE',
	'HEAD',
	'OPTIONS',
	'PATCH',
	'CONNECT',
	'TRACE',
	'get',
	'PROPFIND',
	'',
];
const targets = [
	'//',
	'//[',
	'//[::1',
	'http://[',
	'http://',
	'http://evil.example/',
	'*',
	'?',
	'#',
	'/\\',
	'\\',
	'/..',
	'/%',
	'/%zz',
	'/%00',
	'/%2e%2e/',
];
const paths = [
	'/',
	'/api',
	'/api/v10/gateway',
	'/api/v99/x',
	'/simulator',
	'/simulator/state',
	'/simulator/emit',
	'/resume',
	'/worker/1',
	'/metrics',
	'/v1/stats',
];
const pieces = [
	'/',
	'//',
	'..',
	'.',
	'%',
	'%2F',
	'[',
	']',
	'@',
	':',
	';',
	'?',
	'&',
	'=',
	'#',
	'\\',
	'<',
	'{',
	'"',
	"'",
	'__proto__',
	'constructor',
	'ä',
	'\u0001',
	'\t',
	'1e309',
	'-1',
];
const values = [
	'',
	'x',
	'0',
	'-1',
	'1e9',
	'99999999999999999999',
	'127.0.0.1',
	'[',
	'a:b:c',
	'null',
	'"',
	'chunked',
	'chunked, chunked',
	'gzip',
	'websocket',
	'Upgrade',
	'13',
	'Bot a.b.c',
	'Bearer ',
	'application/json',
	'ä',
	'%0d%0a',
];
const names = [
	'Host',
	'Origin',
	'Authorization',
	'Content-Length',
	'Transfer-Encoding',
	'Content-Type',
	'Connection',
	'Upgrade',
	'Sec-WebSocket-Key',
	'Sec-WebSocket-Version',
	'Sec-WebSocket-Extensions',
	'Expect',
	'Cookie',
	'X-A',
	'__proto__',
	' ',
	'a b',
];

/** @param random Numbers from 0 to below 1. */
export function hostileRequests(random: () => number): HostileRequests {
	const int = (below: number) => Math.floor(random() * below);
	const one = <T>(list: readonly T[]): T => list[int(list.length)] as T;
	const some = (most: number, make: () => string) => Array.from({ length: int(most) }, make);

	const target = () => {
		const kind = random();
		if (kind < 0.3) return one(targets);
		if (kind < 0.35) return `/${'x'.repeat(int(20_000))}`;
		return one(paths) + some(6, () => one(pieces)).join('');
	};
	const headers = () => [
		...(random() < 0.8 ? ['Host: 127.0.0.1'] : []),
		...some(6, () => `${one(names)}: ${one(values)}`),
		...(random() < 0.02 ? [`X-Long: ${'x'.repeat(20_000)}`] : []),
	];
	const upgrade = () =>
		random() < 0.5
			? ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
			: [];
	const request = () => {
		const version = random() < 0.95 ? 'HTTP/1.1' : one(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '']);
		const body = random() < 0.2 ? one(['{', '{"type":"A"}', '5\r\nabcde\r\n0\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n']) : '';
		return `${[`${one(methods)} ${target()} ${version}`, ...headers(), ...upgrade()].join('\r\n')}\r\n\r\n${body}`;
	};
	return {
		request,
		send(port) {
			const text = request();
			return new Promise((resolve) => {
				const socket = connect(port, '127.0.0.1');
				let status = 0;
				socket.on('error', () => {});
				socket.once('close', () => resolve(status));
				socket.once('data', (data) => {
					status = Number(/^HTTP\/1\.1 (\d{3})/.exec(data.toString('latin1'))?.[1] ?? 0);
					socket.destroy();
				});
				// A server that waits for more of the request gets the end of it.
				socket.end(text, 'latin1');
			});
		},
	};
}
