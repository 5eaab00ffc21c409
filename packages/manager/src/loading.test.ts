// What a fleet of Node.js processes on one machine loads: nothing of a cluster or an event queue, and so no Redis client, of threads, of other programs and of
// the dashboard. apps/shardctl/test/light.test.ts checks the same of what is built.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** What the sources import at once and not when they need it, from the entry point on; an import of types alone is not one. */
function importsFrom(entry: string): { files: Set<string>; packages: Set<string> } {
	const files = new Set<string>();
	const packages = new Set<string>();
	const visit = (file: string) => {
		if (files.has(file)) return;
		files.add(file);
		for (const [, clause, specifier] of readFileSync(file, 'utf8').matchAll(
			/^(?:import|export)\s+([^;'"]*?)from\s+'([^']+)';/gm,
		)) {
			if (clause?.startsWith('type ')) continue;
			if (!specifier?.startsWith('.')) packages.add(specifier as string);
			else visit(join(dirname(file), specifier.replace(/\.js$/, '.ts')));
		}
	};
	visit(entry);
	return { files, packages };
}

it('is nothing of the cluster, no package of the queue, and no client of Redis', () => {
	const { files, packages } = importsFrom(fileURLToPath(new URL('./index.ts', import.meta.url)));
	expect([...files].every((file) => existsSync(file))).toBe(true);
	expect(files.size).toBeGreaterThan(50);
	expect(packages).toContain('@shardctl/core');
	expect([...packages].filter((name) => /cluster|redis|queue/.test(name))).toEqual([]);
	expect([...files].filter((file) => /[\\/]cluster[\\/]/.test(file))).toEqual([]);
});

it('is nothing that runs workers as threads', () => {
	const { packages } = importsFrom(fileURLToPath(new URL('./index.ts', import.meta.url)));
	expect(packages).toContain('@shardctl/supervisor');
	expect([...packages].filter((name) => /thread/.test(name))).toEqual([]);
	const { files } = importsFrom(fileURLToPath(new URL('../../supervisor/src/index.ts', import.meta.url)));
	expect(files.size).toBeGreaterThan(10);
	expect([...files].filter((file) => /thread/.test(file))).toEqual([]);
});

it('is nothing that speaks with workers of other programs', () => {
	const { files } = importsFrom(fileURLToPath(new URL('./index.ts', import.meta.url)));
	expect([...files].filter((file) => /[\\/]foreign-(?:source|spec|workers)|line-channel/.test(file))).toEqual([]);
});

it('is nothing of the dashboard, and no library of metrics', () => {
	const { files, packages } = importsFrom(fileURLToPath(new URL('../../control/src/server/index.ts', import.meta.url)));
	expect(packages).toContain('zod');
	expect([...packages].filter((name) => /prom-client/.test(name))).toEqual([]);
	expect([...files].filter((file) => /[\\/]src[\\/]dashboard[\\/]/.test(file))).toEqual([]);
});

it('is no WebSocket client', () => {
	const { packages } = importsFrom(fileURLToPath(new URL('../../supervisor/src/index.ts', import.meta.url)));
	expect([...packages].filter((name) => name === 'ws')).toEqual([]);
});
