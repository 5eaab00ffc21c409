// Runs a root script on a machine that has Node and npm and nothing else: finds the pinned pnpm (or lets npx bring it),
// installs exactly what the lockfile says, then hands over to `pnpm run <script>`. It needs no dependency of its own.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [script, ...scriptArgs] = process.argv.slice(2);
if (!script) {
	console.error('usage: node scripts/bootstrap.mjs <root script> [arguments]');
	process.exit(2);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
	console.error(`shardctl needs Node 20.19 or newer, and this is ${process.version}. Install a newer one and try again.`);
	process.exit(1);
}

const pin = /^pnpm@([\d.]+)/.exec(JSON.parse(readFileSync(`${root}/package.json`, 'utf8')).packageManager)[1];
const options = {
	cwd: root,
	env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
	shell: process.platform === 'win32', // npm's programs are .cmd files there, which only a shell starts
};
const found = spawnSync('pnpm', ['--version'], { ...options, encoding: 'utf8' });
const pnpm = found.status === 0 && found.stdout.trim() === pin ? ['pnpm'] : ['npx', '-y', '--prefer-offline', `pnpm@${pin}`];

/** Runs pnpm to its end; leaves with its exit status when it fails. */
async function runPnpm(...args) {
	const [command, ...prefix] = pnpm;
	const child = spawn(command, [...prefix, ...args], { ...options, stdio: 'inherit' });
	// A terminal sends Ctrl-C to the whole process group; this process only waits for the others to finish their stop.
	const wait = () => {};
	const forward = (signal) => child.kill(signal);
	process.on('SIGINT', wait).on('SIGTERM', forward).on('SIGHUP', forward);
	const status = await new Promise((resolve) => {
		child.once('error', (error) => {
			console.error(`could not run ${command}: ${error.message}`);
			resolve(1);
		});
		child.once('exit', (code) => resolve(code ?? 1));
	});
	process.off('SIGINT', wait).off('SIGTERM', forward).off('SIGHUP', forward);
	if (status !== 0) process.exit(status);
}

await runPnpm('install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only', '--loglevel=warn');
await runPnpm('run', '--silent', script, ...scriptArgs);
