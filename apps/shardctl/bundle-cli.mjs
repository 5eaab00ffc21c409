// The last step of the build: puts what a command loads into a few files of CommonJS, and the text of `shardctl --help` beside
// them. What a short command costs is mostly what it loads, and node's loader of ES modules costs as much as reading ten files; a
// manager loads one file instead of four hundred. What 'shardctl' exports is in the same files. `doctor` imports the bot, and stays as
// tsc wrote it.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { buildProgram } from './dist/program.js';

const dist = join(import.meta.dirname, 'dist');
for (const name of readdirSync(dist)) if (name.endsWith('.cjs')) rmSync(join(dist, name));

/** What only some fleets load, where they need it: each import of it is a file of its own. */
const isOnDemand = inPackages({
	manager: 'cluster/|foreign/(?!python)',
	cluster: '',
	queue: '',
	control: 'dashboard/',
	supervisor: 'threads/|hung-stack',
});
/** What a manager loads, and no other command. */
const isOfManager = inPackages({
	manager: '(?!options/(?:option-table|manager-file))',
	supervisor: '',
	rpc: '',
	control: '(?:server|routes|metrics|feed)/|api/schemas',
	core: 'contract/schemas',
});
const isOfClient = inPackages({ control: '' });

/** Whether a file is of one of these packages, and its path in `dist/` begins so. */
function inPackages(paths) {
	const patterns = Object.entries(paths).map(([name, path]) => `/${name}/dist/(?:${path})`);
	const pattern = new RegExp(patterns.join('|'));
	return (id) => pattern.test(id.replaceAll('\\', '/'));
}

const options = {
	platform: 'node',
	external: [/\/doctor\/examine\.js$/, /^@shardctl\/simulator$/, 'jiti', '@clack/prompts'],
};
/** What each command loads. */
const ofEveryCommand = new Set();
{
	const bundle = await rolldown({ ...options, input: join(dist, 'main.js') });
	const { output } = await bundle.generate({ format: 'cjs' });
	await bundle.close();
	for (const { moduleIds } of loadedWith('main.js', output)) for (const id of moduleIds) ofEveryCommand.add(id);
}

const bundle = await rolldown({ ...options, input: { cli: join(dist, 'cli.js'), library: join(dist, 'index.js') } });
const { output } = await bundle.write({
	dir: dist,
	format: 'cjs',
	// Less to read, with the names that a stack shows.
	minify: { mangle: false, compress: false, codegen: true },
	entryFileNames: '[name].cjs',
	chunkFileNames: '[name].cjs',
	// What two files share is one file.
	codeSplitting: {
		groups: [
			{ name: 'shared', minShareCount: 2, test: (id) => ofEveryCommand.has(id), priority: 3 },
			// It brings node's HTTP along.
			{ name: 'control', test: (id) => isOfClient(id) && !isOfManager(id) && !isOnDemand(id), priority: 2 },
			{ name: 'common', minShareCount: 2, test: inPackages({ shardctl: '' }), priority: 1 },
			{ name: 'manager', test: (id) => isOfManager(id) && !isOnDemand(id) },
			{ name: 'cluster', test: inPackages({ cluster: '' }) },
			{ name: 'queue', test: inPackages({ queue: '' }) },
		],
	},
});
await bundle.close();
for (const { fileName, imports } of output) {
	const required = imports.filter((id) => !isBuiltin(id) && !id.endsWith('.cjs'));
	if (required.length > 0) throw new Error(`${fileName} requires ${required.join(', ')}: load it by import() or bundle it`);
}
for (const { fileName, moduleIds } of [...loadedWith('run-fleet.cjs', output), ...loadedWith('library.cjs', output)]) {
	const early = moduleIds.filter((id) => isOnDemand(id) || /node_modules[\\/](?:ioredis|prom-client|ws)[\\/]/.test(id));
	if (early.length > 0) throw new Error(`${fileName}, which each manager loads, has ${early.join(', ')}: load it by import()`);
}

/** A file, and what it requires at once. */
function loadedWith(name, files, loaded = new Set()) {
	const file = files.find(({ fileName }) => fileName === name);
	if (!file || loaded.has(file)) return loaded;
	loaded.add(file);
	for (const required of file.imports) loadedWith(required, files, loaded);
	return loaded;
}

const names = output.find(({ fileName }) => fileName === 'library.cjs').exports;
writeFileSync(
	join(dist, 'library.mjs'),
	`// What imports of 'shardctl' get: the same as what requires it.\nimport library from './library.cjs';\nexport const { ${names.join(', ')} } = library;\n`,
);

const program = buildProgram();
let help = '';
program.configureOutput({ getOutHelpWidth: () => 80, writeOut: (text) => (help += text) });
program.outputHelp();
writeFileSync(join(dist, 'help.txt'), help);
