// Discord's REST API for probes: requests to the channels of the probes are answered as the test says and recorded; every other request is
// the simulator's.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Simulator } from '@shardctl/simulator';

/** How a request is answered; `hang`: not at all, `close`: the connection is closed, `half`: it is closed in the middle of the answer. */
export type Answer =
	| 'hang'
	| 'close'
	| 'half'
	| { status: number; headers?: Record<string, string>; body?: unknown; compressed?: boolean };

/** A request as Discord got it, without what differs between two of the same. */
export interface Arrived {
	method: string;
	/** With the query. */
	url: string;
	/** Whether it carries the bot's token. */
	isBot: boolean;
	reason: string | undefined;
	type: string | undefined;
	/** The body; of a form its fields, and the sizes of its files. */
	body: string | undefined;
	files: number[];
}

export interface ScriptedDiscord {
	readonly url: string;
	/** The requests to a path of a probe. */
	arrived(path: string): readonly Arrived[];
	/** Requests of probes that are neither answered nor closed. */
	readonly open: number;
	/** The responses to the requests of a path, in order; the last one is repeated. */
	script(path: string, answers: readonly Answer[]): void;
	close(): Promise<void>;
}

export async function scriptedDiscord(simulator: Simulator): Promise<ScriptedDiscord> {
	const scripts = new Map<string, { answers: readonly Answer[]; arrived: Arrived[] }>();
	const open = new Set<ServerResponse>();
	const server = createServer((request, response) => {
		const path = new URL(request.url ?? '', 'http://discord').pathname.replace(/^\/api\/v\d+/, '');
		const script = scripts.get(path);
		if (!script) {
			passOn(simulator, request, response);
			return;
		}
		open.add(response);
		response.on('close', () => open.delete(response));
		void read(request, simulator.token).then(
			(arrived) => {
				const answer = script.answers[Math.min(script.arrived.length, script.answers.length - 1)] ?? 'hang';
				script.arrived.push(arrived);
				answerAs(answer, response);
			},
			() => response.destroy(),
		);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
		arrived: (path) => scripts.get(path)?.arrived ?? [],
		get open() {
			return open.size;
		},
		script: (path, answers) => void scripts.set(path, { answers, arrived: [] }),
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

async function read(request: IncomingMessage, token: string): Promise<Arrived> {
	const pieces: Buffer[] = [];
	for await (const piece of request) pieces.push(piece as Buffer);
	const bytes = Buffer.concat(pieces);
	const { 'content-type': type, authorization, 'x-audit-log-reason': reason } = request.headers;
	const arrived: Arrived = {
		method: request.method ?? '',
		url: request.url ?? '',
		isBot: authorization === `Bot ${token}`,
		reason: reason === undefined ? undefined : decodeURIComponent(String(reason)),
		type: type?.split(';')[0],
		body: bytes.length === 0 ? undefined : bytes.toString(),
		files: [],
	};
	if (arrived.type !== 'multipart/form-data') return arrived;
	const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type ?? '' } }).formData();
	const parts = [...form].map(([name, value]) => [name, typeof value === 'string' ? value : value.name]);
	const files = [...form.values()].flatMap((value) => (typeof value === 'string' ? [] : [value.size]));
	return { ...arrived, body: JSON.stringify(parts), files };
}

function answerAs(answer: Answer, response: ServerResponse): void {
	if (answer === 'hang') return;
	if (answer === 'close') {
		response.destroy();
		return;
	}
	if (answer === 'half') {
		response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
		response.write('{"half":');
		setImmediate(() => response.destroy());
		return;
	}
	const { status, headers, body, compressed = false } = answer;
	const text = Buffer.from(body === undefined ? '' : JSON.stringify(body));
	const content = compressed ? gzipSync(text) : text;
	response.writeHead(status, {
		...(body !== undefined && { 'content-type': 'application/json', 'content-length': String(content.length) }),
		...(compressed && { 'content-encoding': 'gzip' }),
		via: '1.1 discord',
		...headers,
	});
	response.end(content);
}

/** As if it had been sent to the simulator. */
function passOn(simulator: Simulator, request: IncomingMessage, response: ServerResponse): void {
	const { host, port } = new URL(simulator.url);
	const headers = { ...request.headers, host };
	const onward = httpRequest({ host: '127.0.0.1', port, path: request.url, method: request.method, headers }, (answer) => {
		response.writeHead(answer.statusCode ?? 502, answer.headers);
		answer.pipe(response);
	});
	onward.on('error', () => response.destroy());
	request.pipe(onward);
}
