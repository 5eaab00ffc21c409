// The last step of the build: puts what a worker, and what a process that its bot starts, loads before its first line into one file of
// CommonJS each. The bot's own imports of this package get the modules as tsc wrote them; both meet at one runtime (`src/runtime.ts`).
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const dist = join(import.meta.dirname, 'dist');
for (const [input, name] of [
	['start-worker.js', 'start-worker.cjs'],
	['outgoing/start-descendant.js', 'start-descendant.cjs'],
]) {
	const bundle = await rolldown({ input: join(dist, input), platform: 'node' });
	await bundle.write({
		file: join(dist, name),
		format: 'cjs',
		// Less to read, with the names that a stack shows.
		minify: { mangle: false, compress: false, codegen: true },
		codeSplitting: false,
	});
	await bundle.close();
}
