// The last step of the build: puts what a command loads into a few files of CommonJS, and the text of `shardctl --help` beside
// them. What a short command costs is mostly what it loads, and node's loader of ES modules costs as much as reading ten files.
// What runs for long (the fleet itself, `doctor`) stays as tsc wrote it.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { buildProgram } from './dist/program.js';

const dist = join(import.meta.dirname, 'dist');
for (const name of readdirSync(dist)) if (name.endsWith('.cjs')) rmSync(join(dist, name));
const client = /control\/dist\//;

const bundle = await rolldown({
	input: join(dist, 'cli.js'),
	platform: 'node',
	external: [/\/(start\/(run-fleet|detach)|doctor\/examine)\.js$/, /^@shardctl\/simulator$/, 'jiti', '@clack/prompts'],
});
const { output } = await bundle.write({
	dir: dist,
	format: 'cjs',
	// Less to read, with the names that a stack shows.
	minify: { mangle: false, compress: false, codegen: true },
	entryFileNames: '[name].cjs',
	chunkFileNames: '[name].cjs',
	// What two files share is one file; but the client of the control API, which brings node's HTTP along, stays by itself.
	codeSplitting: {
		groups: [
			{ name: 'shared', minShareCount: 2, test: (id) => !client.test(id), priority: 1 },
			{ name: 'control', test: client },
		],
	},
});
await bundle.close();
for (const { fileName, imports } of output) {
	const required = imports.filter((id) => !isBuiltin(id) && !id.endsWith('.cjs'));
	if (required.length > 0) throw new Error(`${fileName} requires ${required.join(', ')}: load it by import() or bundle it`);
}

const program = buildProgram();
let help = '';
program.configureOutput({ getOutHelpWidth: () => 80, writeOut: (text) => (help += text) });
program.outputHelp();
writeFileSync(join(dist, 'help.txt'), help);
