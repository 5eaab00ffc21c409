// Puts what a worker loads before its bot into one file: fifty small modules cost each worker 25 ms and 6 MB, one costs 5 ms.
// Only for the package that users install; in the workspace the modules run as tsc wrote them.
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const input = fileURLToPath(new URL('../packages/worker/dist/start-worker.js', import.meta.url));

/** Writes the bundle of `start-worker.js` to a file, in whose place it can stand. The workspace has to be built. */
export async function bundleWorker(file) {
	const bundle = await rolldown({ input, platform: 'node' });
	await bundle.write({ file, format: 'esm', codeSplitting: false });
	await bundle.close();
}
