// Runs the whole test suite on other versions of Node than the one that is installed; the binaries come as npm packages.
import { execFileSync, spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22.23.3', '24.21.0', '26.10.0'];
const root = fileURLToPath(new URL('..', import.meta.url));
const binary = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const failed = [];

for (const version of versions) {
	const node = execFileSync('npx', ['-y', '--prefer-offline', '-p', `${binary}@${version}`, '-c', 'node -p process.execPath'], {
		encoding: 'utf8',
	}).trim();
	console.log(`\n=== Node ${version}`);
	// First on PATH, so that every child that a test starts by name runs on it too.
	const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
	const result = spawnSync(node, ['node_modules/vitest/vitest.mjs', 'run'], { cwd: root, env, stdio: 'inherit' });
	if (result.status !== 0) failed.push(version);
}
if (failed.length > 0) {
	console.error(`the tests fail on Node ${failed.join(', ')}`);
	process.exitCode = 1;
}
