// The last step of the build: puts all that the REST process loads into one file, which makes its start shorter. Its requests to Discord go
// through node:http, so of @discordjs/rest it takes the build without undici.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

const dist = join(import.meta.dirname, 'dist', 'process');
const engine = join(dirname(createRequire(import.meta.url).resolve('@discordjs/rest')), 'web.mjs');
const bundle = await rolldown({
	input: join(dist, 'main.js'),
	platform: 'node',
	resolve: { alias: { '@discordjs/rest': engine } },
});
await bundle.write({
	file: join(dist, 'rest-process.mjs'),
	format: 'esm',
	// Less to read, with the names that a stack shows.
	minify: { mangle: false, compress: false, codegen: true },
	codeSplitting: false,
});
await bundle.close();
