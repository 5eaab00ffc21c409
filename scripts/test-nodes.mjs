// Runs the whole test suite on other versions of Node than the one that is installed; the binaries come as npm packages.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22.23.3', '24.21.0', '26.10.0'];
const root = fileURLToPath(new URL('..', import.meta.url));
const binary = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

for (const version of versions) {
	console.log(`\n=== Node ${version}`);
	// npx puts that node first on PATH, so that vitest, its workers and every forked child run on it.
	const result = spawnSync(
		'npx',
		['-y', '--prefer-offline', '-p', `${binary}@${version}`, '-c', 'node --version && node node_modules/vitest/vitest.mjs run'],
		{
			cwd: root,
			stdio: 'inherit',
		},
	);
	if (result.status !== 0) {
		console.error(`the tests fail on Node ${version}`);
		process.exit(result.status ?? 1);
	}
}
