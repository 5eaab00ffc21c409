// The last step of the build: puts what a worker loads before its bot into one file of CommonJS. The bot's own imports of this
// package get the modules as tsc wrote them; both meet at one runtime (`src/runtime.ts`).
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const dist = join(import.meta.dirname, 'dist');
const bundle = await rolldown({ input: join(dist, 'start-worker.js'), platform: 'node' });
await bundle.write({
	file: join(dist, 'start-worker.cjs'),
	format: 'cjs',
	// Less to read, with the names that a stack shows.
	minify: { mangle: false, compress: false, codegen: true },
	codeSplitting: false,
});
await bundle.close();
