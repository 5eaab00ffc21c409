// What `npm start` shows: an example bot as a fleet, on Discord itself where DISCORD_TOKEN is set, on a simulated one elsewhere.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const simulated = process.env.DISCORD_TOKEN ? [] : ['--shards', '4', '--simulate', '200'];
const args = [
	'apps/shardctl/bin/shardctl.js',
	'start',
	'apps/examples/plain-bot/bot.cjs',
	'--name',
	'demo',
	...simulated,
	...process.argv.slice(2),
];
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });

// Ctrl-C reaches the child too, which then stops its fleet; this process only waits for it.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
	process.exitCode = code ?? 1;
});
