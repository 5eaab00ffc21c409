// Every listener through which outside input enters a long-lived process is guarded: a throw in it ends one request or one
// connection, and never the process. A new listener without the guard fails here.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Those that run in a manager, a gateway process or a simulator. */
const packages = ['control', 'gateway', 'gateway-protocol', 'manager', 'rest', 'rpc', 'simulator', 'supervisor'];
const doors = [
	'upgrade',
	'connection',
	'request',
	'message',
	'data',
	'clientError',
	'checkContinue',
	'connect',
	'secureConnection',
];

/** Listeners without the guard, with the reason. A row that no longer applies fails. */
const exceptions: Record<string, string> = {
	'packages/rpc/src/ipc-port.ts message': 'the peer contains what its frames cause, and the owner guards the messages of the bot',
	'packages/gateway-protocol/src/compression/synchronous-zlib.ts data': 'collects pieces, and nothing else',
	'packages/gateway-protocol/src/compression/zstd-stream.ts data': 'collects pieces, and nothing else',
	'packages/rest/src/forward/exchange.ts data': 'collects pieces, and nothing else',
	'packages/rest/src/forward/request-body.ts data': 'collects pieces of one request, and settles a promise',
	'packages/supervisor/src/incarnation.ts data':
		'splits lines; what a line causes is contained by the events of the supervised child',
	'packages/gateway/src/process/gateway-config.ts message': 'reads one field of what the manager sends, and settles a promise',
	'packages/supervisor/src/threads/thread-program.ts message':
		'what a thread or the owner sends is passed on, and send() contains a throw',
	'packages/supervisor/src/threads/thread-program.ts data': 'decodes text and passes it on, and send() contains a throw',
	'packages/manager/src/workers/worker-events.ts message': 'passes an event of the manager on to the manager',
	'packages/control/src/state-dir/lock.ts connect': 'settles a promise',
	// A server whose listener is guarded where it is created.
	'packages/control/src/server/door.ts createServer': 'requestHandler() returns a guarded listener',
	'packages/gateway/src/process/resident-gateway.ts createServer': 'the listener of LocalRest is guarded',
	'packages/gateway/src/process/resident-gateway.ts connection': 'notes the socket',
	'packages/rest/src/process/rest-server.ts connection': 'notes the socket',
};

function sourcesOf(folder: string): string[] {
	return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
		const path = `${folder}/${entry.name}`;
		if (entry.isDirectory()) return entry.name === 'testing' ? [] : sourcesOf(path);
		return path.endsWith('.ts') && !/\.(?:test|test-d|contract)\.ts$/.test(path) ? [path] : [];
	});
}

/** The listeners of a source without the guard. */
function unguarded(source: string): string[] {
	const code = source.replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
	const listeners = [...code.matchAll(/\.(?:on|once|addListener|prependListener)\(\s*'([^']+)',\s*(\w+)?/g)]
		.filter(([, event, listener]) => doors.includes(event as string) && listener !== 'guardListener')
		.map(([, event]) => event as string);
	const servers = [...code.matchAll(/\bcreateServer\(\s*(?:\{[^}]*\},\s*|\w+,\s*)?(\w+)?/g)]
		.filter(([, listener]) => listener !== 'guardListener')
		.map(() => 'createServer');
	return [...new Set([...listeners, ...servers])];
}

const found = packages.flatMap((name) =>
	sourcesOf(`packages/${name}/src`).flatMap((path) =>
		unguarded(readFileSync(join(root, path), 'utf8')).map((door) => `${path} ${door}`),
	),
);

test('every listener of a long-lived process is guarded, or is an exception with a reason', () => {
	expect(found.filter((door) => !(door in exceptions))).toEqual([]);
});

test('every exception is needed', () => {
	expect(Object.keys(exceptions).filter((door) => !found.includes(door))).toEqual([]);
});

test('no request target is passed to `new URL`, which throws on `//`', () => {
	const parsing = packages
		.flatMap((name) => sourcesOf(`packages/${name}/src`))
		.filter((path) => /new URL\(\s*(?:request|req)\.url/.test(readFileSync(join(root, path), 'utf8')));
	expect(parsing).toEqual([]);
});

describe('the check itself', () => {
	test.each([
		["server.on('upgrade', (request) => {})", ['upgrade']],
		["server.on(\n\t'upgrade',\n\tguardListener(a, b))", []],
		["socket.once('data', take)", ['data']],
		["// server.on('upgrade', x)", []],
		['createServer((request) => {})', ['createServer']],
		['createServer({ a: 1 }, guardListener(a, b))', []],
		["child.on('exited', x)", []],
	])('%s', (source, expected) => {
		expect(unguarded(source)).toEqual(expected);
	});
});
