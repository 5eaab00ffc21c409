// The page as it is built: how large it is, that it needs nothing from elsewhere, and what browsers are told about it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readPage } from '../src/dashboard/page-files.js';

const page = readPage(fileURLToPath(new URL('../dist/page', import.meta.url)));
const sources = fileURLToPath(new URL('../../../apps/dashboard/src/', import.meta.url));
const mostBytes = 60_000;

it('is below 60 kB, compressed', () => {
	expect(page.size).toBeGreaterThanOrEqual(4);
	expect([...page.values()].reduce((sum, { zipped }) => sum + zipped.length, 0)).toBeLessThan(mostBytes);
});

it('lets a browser run and load nothing but its own files, and show it in no frame', () => {
	for (const { headers } of page.values()) {
		const policy = new Map(
			headers['content-security-policy']?.split('; ').map((part) => part.split(/ (.*)/) as [string, string]),
		);
		for (const kind of ['default-src', 'base-uri', 'form-action', 'frame-ancestors', 'trusted-types'])
			expect(policy.get(kind)).toBe("'none'");
		for (const kind of ['script-src', 'style-src', 'img-src', 'connect-src']) expect(policy.get(kind)).toBe("'self'");
		expect(policy.get('require-trusted-types-for')).toBe("'script'");
		expect(policy.size).toBe(10);
		expect(headers).toMatchObject({
			'x-content-type-options': 'nosniff',
			'x-frame-options': 'DENY',
			'referrer-policy': 'no-referrer',
			'cross-origin-resource-policy': 'same-origin',
		});
	}
});

it('has nothing inline, and asks no other server', () => {
	const html = page.get('')?.body.toString() ?? '';
	expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|style=/);
	const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
	expect(addresses.length).toBeGreaterThanOrEqual(3);
	expect(addresses.filter((address) => !address?.startsWith('/dashboard/assets/'))).toEqual([]);
	for (const [name, { body }] of page) {
		// The names of XML are written as addresses, and asked of no one.
		const others = [...body.toString().matchAll(/(?:https?:)?\/\/(?:[\w-]+\.)+[a-z]{2,}[^\s"'`]*/g)].map(([address]) => address);
		expect({ name, others: others.filter((address) => !address.startsWith('http://www.w3.org/')) }).toEqual({ name, others: [] });
	}
});

it('is checked again each time, and its parts, whose names change with them, are kept', () => {
	expect(page.get('')?.headers['cache-control']).toBe('no-cache');
	const parts = [...page].filter(([name]) => name !== '');
	for (const [name, { headers }] of parts) {
		expect(name).toMatch(/^assets\/[\w-]+-[\w-]{8}\.\w+$/);
		expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
	}
});

it('makes no markup of text', () => {
	const files = readdirSync(sources).filter((name) => /\.tsx?$/.test(name) && !name.includes('.test.'));
	expect(files.length).toBeGreaterThan(15);
	const makes = files.filter((name) =>
		/innerHTML|outerHTML|insertAdjacent|document\.write|eval\(/i.test(readFileSync(join(sources, name), 'utf8')),
	);
	expect(makes).toEqual([]);
});
