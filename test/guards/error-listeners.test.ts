// A stream, socket, server or child process without a listener for `error` ends the process at its first error. So every source that
// makes one listens for errors, with `on`: a listener that was removed after the first does not hold the second.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What makes an emitter that may emit `error`, by the module that it is imported from. */
const makers: Record<string, readonly string[]> = {
	'node:child_process': ['spawn', 'fork', 'exec', 'execFile'],
	'node:net': ['createServer', 'connect', 'createConnection', 'Socket'],
	'node:http': ['createServer', 'request', 'get'],
	'node:https': ['createServer', 'request', 'get'],
	'node:readline': ['createInterface'],
	'node:fs': ['createReadStream', 'createWriteStream'],
	'node:tls': ['connect', 'createServer'],
	'node:dgram': ['createSocket'],
	'node:worker_threads': ['Worker'],
	ws: ['WebSocket', 'WebSocketServer', 'default'],
	ioredis: ['Redis', 'default'],
};
/** Sources without such a listener, with the reason. A row that no longer applies fails. */
const exceptions: Record<string, string> = {
	'packages/control/src/state-dir/lock.ts': 'the socket is destroyed by its first event',
	'packages/manager/src/foreign/process-figures.ts': 'execFile passes errors to its callback',
	'packages/supervisor/src/process-group.ts': 'execFile passes errors to its callback',
	'packages/worker/src/adapters/eris.ts': 'the socket is made for an agent of node:http, which listens',
	'packages/worker/src/outgoing/tls-detour.ts':
		'the socket is returned to the caller of tls.connect, who listens as for one of its own',
	'apps/shardctl/src/doctor/closed-world.ts': 'patches the classes, and makes none',
};

function sourcesOf(folder: string): string[] {
	return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
		const path = `${folder}/${entry.name}`;
		if (entry.isDirectory()) return entry.name === 'testing' ? [] : sourcesOf(path);
		return path.endsWith('.ts') && !/\.(?:test|test-d|contract|d)\.ts$/.test(path) ? [path] : [];
	});
}

/** The names that a source imports as values from a module. */
function importsFrom(source: string, module: string): string[] {
	const statements = source.matchAll(new RegExp(`^import (?!type )([^;]*?) from '${module}';`, 'gm'));
	return [...statements].flatMap(([, clause = '']) => {
		const named = /\{([^}]*)\}/.exec(clause)?.[1] ?? '';
		const names = named
			.split(',')
			.map((part) => part.trim())
			.filter((part) => part !== '' && !part.startsWith('type '))
			.map((part) => part.split(' as ')[0] as string);
		return /^\w/.test(clause.replace(/\{[^}]*\}/, '')) ? [...names, 'default'] : names;
	});
}

function makes(source: string): boolean {
	return Object.entries(makers).some(([module, names]) => importsFrom(source, module).some((name) => names.includes(name)));
}

const found = [...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/src`), 'apps/shardctl/src']
	.flatMap(sourcesOf)
	.filter((path) => {
		const source = readFileSync(join(root, path), 'utf8');
		return makes(source) && !/\.on\(\s*'error'/.test(source);
	});

test('every source that makes an emitter listens for its errors, or is an exception with a reason', () => {
	expect(found.filter((path) => !(path in exceptions))).toEqual([]);
});

test('every exception is needed', () => {
	expect(Object.keys(exceptions).filter((path) => !found.includes(path))).toEqual([]);
});

test.each([
	["import { fork } from 'node:child_process';", true],
	["import { type Server, createServer } from 'node:http';", true],
	["import WebSocket from 'ws';", true],
	["import { request as httpRequest } from 'node:http';", true],
	["import { type Server } from 'node:http';", false],
	["import type { Socket } from 'node:net';", false],
	["import { readFileSync } from 'node:fs';", false],
])('the check itself: %s', (source, expected) => {
	expect(makes(source)).toBe(expected);
});
