// The files of the page, read once, with the headers that they are sent with. They hold no secret, so nothing is needed to read them.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ShardctlError } from '@shardctl/core';

/** Where the build puts the page. By its name, because this file may be in a bundle. */
const builtPage = () => dirname(createRequire(import.meta.url).resolve('@shardctl/control/page'));

const types: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.svg': 'image/svg+xml',
};

/** Nothing from anywhere else, nothing inline, and in no frame. */
const pageHeaders = {
	'content-security-policy':
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	'x-content-type-options': 'nosniff',
	'x-frame-options': 'DENY',
	'referrer-policy': 'no-referrer',
	'cross-origin-opener-policy': 'same-origin',
	'cross-origin-resource-policy': 'same-origin',
	'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

export interface PageFile {
	headers: Readonly<Record<string, string>>;
	body: Buffer;
	zipped: Buffer;
}

/** File by its path under `/dashboard/`; the page itself has the empty path. Throws where the page was not built. */
export function readPage(folder: string = builtPage()): ReadonlyMap<string, PageFile> {
	const files = new Map<string, PageFile>();
	for (const name of namesIn(folder)) {
		const type = types[extname(name)];
		if (type === undefined) continue;
		const body = readFileSync(join(folder, name));
		// A name with the hash of its content is another file when the content changes.
		const caching = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
		const headers = { ...pageHeaders, 'content-type': type, 'cache-control': caching, vary: 'accept-encoding' };
		files.set(name === 'index.html' ? '' : name, { headers, body, zipped: gzipSync(body) });
	}
	return files;
}

function namesIn(folder: string): string[] {
	try {
		return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
	} catch (cause) {
		throw new ShardctlError('INTERNAL', `the files of the dashboard are not in ${folder}: build or install shardctl again`, {
			cause,
		});
	}
}
