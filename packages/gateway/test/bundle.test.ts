// The files that a gateway process is started from.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (name: string) => readFileSync(new URL(`../dist/process/${name}`, import.meta.url), 'utf8');

it('loads what a cluster or a queue needs from a file of its own, and only there', () => {
	const main = read('gateway-process.mjs');
	expect(main).toMatch(/import\(.\.\/cluster-session\.mjs.\)/);
	expect(main).toMatch(/import\(.\.\/event-queue\.mjs.\)/);
	expect(main).not.toMatch(/@shardctl\/cluster|@shardctl\/queue|ioredis/);
	expect(read('cluster-session.mjs')).toContain('openClusterSession');
	expect(read('event-queue.mjs')).toContain('EventQueue');
});
