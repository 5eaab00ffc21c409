// Makes the one package that users install: the folder apps/shardctl with the packages of this workspace that it needs inside
// (as bundled dependencies), so that plain npm installs it. `--check` also lets publint judge it. Prints the tarball's path.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = fileURLToPath(new URL('..', import.meta.url));
const outAt = process.argv.indexOf('--out');
const out = outAt > 0 ? process.argv[outAt + 1] : join(root, 'reports');
const staging = join(out, 'package');
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const catalog = readCatalog(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'));

/** The `catalog:` block of pnpm-workspace.yaml: lines of `name: version`. */
function readCatalog(yaml) {
	const block = /^catalog:\n((?: {2}.*\n)+)/m.exec(yaml)[1];
	return Object.fromEntries([...block.matchAll(/^ {2}"?([^":]+)"?: (\S+)$/gm)].map(([, name, version]) => [name, version]));
}

/** Walks the workspace packages that `manifest` needs, and gathers what they need from the registry. */
function collect(manifest, bundled = new Map(), external = {}, optional = {}) {
	for (const [field, target] of [
		['dependencies', external],
		['optionalDependencies', optional],
	]) {
		for (const [name, version] of Object.entries(manifest[field] ?? {})) {
			if (!version.startsWith('workspace:')) target[name] = version === 'catalog:' ? catalog[name] : version;
			else if (!bundled.has(name)) {
				const folder = join(root, 'packages', name.replace('@shardctl/', ''));
				const inner = readJson(join(folder, 'package.json'));
				bundled.set(name, { folder, manifest: inner });
				collect(inner, bundled, external, optional);
			}
		}
	}
	return { bundled, external, optional };
}

const app = join(root, 'apps', 'shardctl');
const manifest = readJson(join(app, 'package.json'));
const { bundled, external, optional } = collect(manifest);
const { private: _private, devDependencies: _dev, scripts: _scripts, ...published } = manifest;
const isShipped = (path) => !/\.(test|test-d)\.|\.tsbuildinfo$|\.map$/.test(path);

rmSync(staging, { recursive: true, force: true });
mkdirSync(staging, { recursive: true });
for (const part of manifest.files.filter((pattern) => !pattern.startsWith('!')))
	cpSync(join(app, part), join(staging, part), { recursive: true, filter: isShipped });
for (const part of ['README.md', 'LICENSE']) cpSync(join(root, part), join(staging, part));
for (const [name, { folder, manifest: inner }] of bundled) {
	const target = join(staging, 'node_modules', name);
	for (const part of inner.files.filter((pattern) => !pattern.startsWith('!')))
		cpSync(join(folder, part), join(target, part), { recursive: true, filter: isShipped });
	const {
		dependencies: _deps,
		optionalDependencies: _optional,
		devDependencies: _devDeps,
		scripts: _innerScripts,
		private: _innerPrivate,
		...rest
	} = inner;
	writeFileSync(join(target, 'package.json'), JSON.stringify(rest, null, 2));
}
const versions = Object.fromEntries([...bundled].map(([name, { manifest: inner }]) => [name, inner.version]));
writeFileSync(
	join(staging, 'package.json'),
	JSON.stringify(
		{
			...published,
			dependencies: { ...external, ...versions },
			...(Object.keys(optional).length > 0 ? { optionalDependencies: optional } : {}),
			bundleDependencies: [...bundled.keys()],
		},
		null,
		2,
	),
);
if (process.argv.includes('--check')) {
	const { messages } = await publint({ pkgDir: staging, strict: true, pack: 'npm' });
	// On purpose: the code is ES modules for everyone, and `require` finds declarations of CommonJS, without which TypeScript refuses it to
	// a CommonJS file (test/compat/module-settings.test.ts compiles one in each setting).
	const onPurpose = ({ code, path }) => code === 'EXPORTS_TYPES_INVALID_FORMAT' && path.at(-1) === 'require';
	const problems = messages.filter((message) => !onPurpose(message));
	if (problems.length > 0) {
		for (const problem of problems) console.error(formatMessage(problem, published) ?? problem.code);
		process.exit(1);
	}
}
const tarball = execFileSync('npm', ['pack', '--silent', '--pack-destination', out], {
	cwd: staging,
	encoding: 'utf8',
	shell: process.platform === 'win32',
}).trim();
process.stdout.write(`${join(out, tarball.split('\n').at(-1))}\n`);
