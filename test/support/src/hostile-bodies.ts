// Bodies of requests that no client should send: broken JSON, values of the wrong type in fields that exist, keys that are special in
// JavaScript, and values that are long, deep or not numbers. From a seeded source.
import { request } from 'node:http';

export interface HostileBodies {
	/** One body, made from one of the examples in most cases; one in ten is right. */
	body(): string | Buffer;
}

const broken = [
	'',
	'{',
	'}',
	'[',
	'null',
	'"',
	'"x"',
	'{"a":}',
	'{"a":1,}',
	"{'a':1}",
	'NaN',
	'{"a":1e309}',
	'\u0000',
	'\ufeff{}',
	'1',
	'[]',
	'true',
];
const keys = [
	'__proto__',
	'constructor',
	'prototype',
	'toString',
	'hasOwnProperty',
	'toJSON',
	'length',
	'',
	' ',
	'a.b',
	'0',
	'-1',
	'ä',
	'\u0000',
	'$',
	'then',
];
const numbers = [
	'0',
	'-0',
	'1',
	'-1',
	'0.5',
	'1e309',
	'-1e309',
	'1e-400',
	'9007199254740993',
	'99999999999999999999',
	'4294967296',
	'1e21',
];
const texts = [
	'',
	'0',
	'-1',
	'x',
	'true',
	'__proto__',
	'123456789012345678',
	'99999999999999999999',
	'\u0000',
	'\u001b[2J',
	'\u202e',
	'\ud800',
	'../../etc/passwd',
	'%00',
	'{{}}',
	'process.exit(1)',
	'MESSAGE_CREATE',
];

/**
 * @param random Numbers from 0 to below 1.
 * @param examples Right bodies, of which parts are replaced.
 */
export function hostileBodies(random: () => number, examples: readonly object[]): HostileBodies {
	const int = (below: number) => Math.floor(random() * below);
	const one = <T>(list: readonly T[]): T => list[int(list.length)] as T;

	const junk = (depth = 0): string => {
		const kind = int(depth > 4 ? 5 : 9);
		if (kind === 0) return one(numbers);
		if (kind === 1) return JSON.stringify(one(texts));
		if (kind === 2) return one(['null', 'true', 'false', '[]', '{}', '""']);
		if (kind === 3) return JSON.stringify('x'.repeat(int(random() < 0.05 ? 200_000 : 2000)));
		if (kind === 4) return `"\\u${int(65_536).toString(16).padStart(4, '0')}"`;
		if (kind === 5) {
			if (random() < 0.05) return `[${Array.from({ length: int(20_000) }, () => one(numbers)).join(',')}]`;
			return `[${Array.from({ length: int(4) }, () => junk(depth + 1)).join(',')}]`;
		}
		if (kind === 6)
			return `{${Array.from({ length: int(4) }, () => `${JSON.stringify(one(keys))}:${junk(depth + 1)}`).join(',')}}`;
		if (kind === 7) {
			const levels = int(random() < 0.1 ? 20_000 : 50);
			return '['.repeat(levels) + ']'.repeat(levels);
		}
		return `{"__proto__":${junk(depth + 1)},"constructor":{"prototype":${junk(depth + 1)}}}`;
	};

	/** The JSON of a right value in which some parts are junk, some fields are missing, and some are too many. */
	const damaged = (value: unknown): string => {
		if (random() < 0.2) return junk();
		if (Array.isArray(value)) return `[${value.map(damaged).join(',')}]`;
		if (typeof value !== 'object' || value === null) return random() < 0.4 ? junk() : JSON.stringify(value);
		const fields = Object.entries(value).filter(() => random() > 0.1);
		const extra = random() < 0.2 ? [`${JSON.stringify(one(keys))}:${junk()}`] : [];
		return `{${[...fields.map(([key, inner]) => `${JSON.stringify(key)}:${damaged(inner)}`), ...extra].join(',')}}`;
	};

	return {
		body() {
			const kind = random();
			if (kind < 0.1) return one(broken);
			if (kind < 0.15) return junk();
			if (kind > 0.9) return JSON.stringify(one(examples));
			const text = damaged(one(examples));
			if (kind < 0.2) return text.slice(0, int(text.length));
			if (kind < 0.25) return Buffer.from(Array.from({ length: int(50) }, () => int(256)));
			return text;
		},
	};
}

/** Sends a body and resolves with the status of the response; 0 where there is none. */
export function postBody(url: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<number> {
	return new Promise((resolve) => {
		const outgoing = request(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }, (response) => {
			response.resume();
			response.on('close', () => resolve(response.statusCode ?? 0));
		});
		outgoing.on('error', () => resolve(0));
		outgoing.end(body);
	});
}
