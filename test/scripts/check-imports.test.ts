// The check of import boundaries can fail: on small trees, each of its rules finds its violations and nothing else.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { type ImportRules, importProblems, unknownProblems } from '../../scripts/check-imports.mjs';

const rules: ImportRules = {
	arrows: { core: [], rpc: ['core'], gateway: ['core', 'rpc'] },
	appArrows: { cli: ['core'] },
	onlyInTests: ['simulator'],
	floors: { gateway: [['process'], ['stream'], ['state']] },
};

function problemsOf(tree: Record<string, string>): string[] {
	return importProblems(new Map(Object.entries(tree)), rules);
}

describe('arrows between packages', () => {
	it('are kept by allowed imports', () => {
		const tree = {
			'packages/core/src/errors.ts': "import { readFileSync } from 'node:fs';",
			'packages/rpc/src/peer.ts': "import { type ErrorCode } from '@shardctl/core';\nimport './port.js';",
			'packages/rpc/src/port.ts': '',
			'packages/rpc/src/peer.test.ts': "import { createSimulator } from '@shardctl/simulator';",
			'packages/rpc/test/contract.test.ts': "import '../src/peer.js';",
		};
		expect(problemsOf(tree)).toEqual([]);
	});

	it.each([
		['a foreign package', "import { Peer } from '@shardctl/rpc';"],
		['only a type of it', "import type { Peer } from '@shardctl/rpc';"],
		['a door of it, later', "const peer = await import('@shardctl/rpc/light');"],
		['what it hands on', "export { Peer } from '@shardctl/rpc';"],
	])('are broken by %s', (_, source) => {
		expect(problemsOf({ 'packages/core/src/errors.ts': source })).toEqual([
			'packages/core/src/errors.ts: core must not import @shardctl/rpc',
		]);
	});

	it('are broken by a source that imports test support, and by a path out of the package', () => {
		expect(problemsOf({ 'apps/cli/src/main.ts': "import '@shardctl/simulator';" })).toHaveLength(1);
		expect(problemsOf({ 'packages/rpc/src/peer.ts': "import '../../core/src/errors.js';" })).toEqual([
			'packages/rpc/src/peer.ts: "../../core/src/errors.js" reaches out of its package; import it by name',
		]);
	});

	it('require a row for every package', () => {
		expect(problemsOf({ 'packages/other/src/index.ts': '' })[0]).toMatch(/"other" has no row/);
	});
});

describe('circles', () => {
	it('of files are found, also through types and other files; each is named once', () => {
		const tree = {
			'packages/rpc/src/a.ts': "import type { B } from './b.js';",
			'packages/rpc/src/b.ts': "export * from './c.js';",
			'packages/rpc/src/c.ts': "type A = import('./a.js').A;",
			'packages/rpc/src/user.ts': "import './a.js';",
		};
		expect(problemsOf(tree)).toContain(
			'circle of files: packages/rpc/src/a.ts <-> packages/rpc/src/b.ts <-> packages/rpc/src/c.ts',
		);
		expect(problemsOf(tree).filter((problem) => problem.startsWith('circle of files'))).toHaveLength(1);
	});

	it('of folders are found when no files import each other in a circle', () => {
		const tree = {
			'packages/rpc/src/calls/call.ts': "import '../wire/encode.js';",
			'packages/rpc/src/calls/ids.ts': '',
			'packages/rpc/src/wire/encode.ts': '',
			'packages/rpc/src/wire/decode.ts': "import '../calls/ids.js';",
		};
		expect(problemsOf(tree)).toEqual(['circle of folders in packages/rpc: calls <-> wire']);
	});

	it('are not formed by a top-level file that imports a folder, nor by tests', () => {
		const tree = {
			'packages/rpc/src/index.ts': "export * from './calls/call.js';",
			'packages/rpc/src/calls/call.ts': "import '../limits.js';",
			'packages/rpc/src/limits.ts': '',
			'packages/rpc/src/limits.test.ts': "import './limits.js';\nimport './calls/call.js';",
		};
		expect(problemsOf(tree)).toEqual([]);
	});
});

describe('floors', () => {
	it('are kept by imports that go down, also past a floor', () => {
		const tree = {
			'packages/gateway/src/process/main.ts': "import '../stream/stream.js';\nimport '../state/shelf.js';",
			'packages/gateway/src/stream/stream.ts': "import '../state/shelf.js';",
			'packages/gateway/src/state/shelf.ts': '',
			'packages/gateway/src/state/shelf.test.ts': "import '../stream/stream.js';",
		};
		expect(problemsOf(tree)).toEqual([]);
	});

	it('are broken by an import that goes up, without any circle', () => {
		const tree = {
			'packages/gateway/src/stream/stream.ts': '',
			'packages/gateway/src/state/shelf.ts': "import type { ShardStream } from '../stream/stream.js';",
		};
		expect(problemsOf(tree)).toEqual([
			'packages/gateway/src/state/shelf.ts: state/ must not import packages/gateway/src/stream/stream.ts: stream/ is not on a lower floor',
		]);
	});

	it('require a place for every folder of their package', () => {
		expect(problemsOf({ 'packages/gateway/src/attic/box.ts': '' })[0]).toMatch(/attic: has no floor/);
	});
});

describe('a known problem', () => {
	it('is ignored while it exists, and reported once it is gone', () => {
		expect(unknownProblems(['old', 'new'], ['old'])).toEqual(['new']);
		expect(unknownProblems([], ['old'])).toEqual([expect.stringMatching(/no longer true, so take its row out .*: old$/)]);
	});
});

it('fails as a command on a tree that breaks the rules, and names what is wrong', () => {
	const root = tempDir('shardctl-imports-');
	const tree = {
		'packages/core/src/index.ts': "import '@shardctl/manager';",
		'packages/gateway/src/state/shelf.ts': "import '../stream/stream.js';",
		'packages/gateway/src/stream/stream.ts': "import '../state/shelf.js';",
		'packages/gateway/node_modules/other/src/index.ts': "import '@shardctl/manager';",
		'apps/shardctl/src/main.ts': '',
	};
	for (const [path, text] of Object.entries(tree)) {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		writeFileSync(join(root, path), text);
	}
	const script = fileURLToPath(new URL('../../scripts/check-imports.mjs', import.meta.url));
	const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
	expect(status).toBe(1);
	expect(stderr.split('\n').filter((line) => line.startsWith('  '))).toEqual([
		'  packages/core/src/index.ts: core must not import @shardctl/manager',
		'  circle of files: packages/gateway/src/state/shelf.ts <-> packages/gateway/src/stream/stream.ts',
		'  packages/gateway/src/state/shelf.ts: state/ must not import packages/gateway/src/stream/stream.ts: stream/ is not on a lower floor',
	]);
});
