// A call to all bots of two machines: `shardctl start --cluster` beside discord-cross-hosting, taking turns in one run. The latter is not a
// dependency of this repository: install it, discord-hybrid-sharding and discord.js into a folder, and name that.
//
//	node test/bench/cross-hosting.mjs FOLDER [--blocks N] [--calls N]
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createSimulator } from '@shardctl/simulator';

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { blocks: { type: 'string', default: '6' }, calls: { type: 'string', default: '300' } },
});
const [folder] = positionals;
if (!folder) throw new Error('name the folder where discord-cross-hosting is installed');
const modules = resolve(folder);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const cli = path('../../apps/shardctl/bin/shardctl.js');
const dir = mkdtempSync(join(tmpdir(), 'shardctl-bench-'));
const children = [];
const ends = [];
try {
	const fleets = { 'discord-cross-hosting': await crossHosting(), shardctl: await shardctl() };
	const times = Object.fromEntries(Object.keys(fleets).map((name) => [name, []]));
	for (let block = 0; block <= Number(values.blocks); block++) {
		for (const [name, port] of Object.entries(fleets)) {
			const response = await fetch(`http://127.0.0.1:${port}/?calls=${values.calls}`);
			const text = await response.text();
			if (!response.ok) throw new Error(`${name}: ${text}`);
			// The first block warms up.
			if (block > 0) times[name].push(...JSON.parse(text));
		}
	}
	for (const [name, all] of Object.entries(times)) {
		all.sort((a, b) => a - b);
		const at = (share) => all[Math.floor(all.length * share)].toFixed(3);
		print(`${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${all.length} calls)`);
	}
	print(`load ${loadavg()[0].toFixed(1)}`);
} finally {
	for (const child of children) if (child.connected) child.disconnect();
	for (const end of ends) await end();
	rmSync(dir, { recursive: true, force: true });
}

/** Resolves with the port of the bot that is asked. */
async function crossHosting() {
	const { env, bot } = await botEnv('cross-hosting', { CROSS_BRIDGE: String(await freePort()) });
	const start = (name) => {
		const child = fork(path(`./cross-hosting/${name}.cjs`), { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
		children.push(child);
		return child;
	};
	await once(start('bridge'), 'message');
	start('machine');
	start('machine');
	return bot();
}

async function shardctl() {
	const redisPort = await freePort();
	const redis = spawn(
		process.env.SHARDCTL_TEST_REDIS ?? 'redis-server',
		['--port', redisPort, '--bind', '127.0.0.1', '--dir', dir, '--save', ''],
		{
			stdio: 'ignore',
		},
	);
	ends.push(() => ended(redis, 'SIGKILL'));
	const { env, simulator, bot } = await botEnv('shardctl', {});
	const config = join(dir, 'shardctl.config.json');
	writeFileSync(config, JSON.stringify({ identifyWindowMs: 100 }));
	for (const node of ['a', 'b']) {
		const args = `start ${path('./cross-hosting/bot.cjs')} --config ${config} --name bench --shards 2 --api ${simulator.url} --cluster redis://127.0.0.1:${redisPort} --node ${node} --capacity 1 --expect 2`;
		const manager = spawn(process.execPath, [cli, ...args.split(' ')], {
			env: { ...env, SHARDCTL_STATE_DIR: join(dir, node) },
			stdio: ['ignore', 'ignore', 'inherit'],
		});
		ends.unshift(() => ended(manager, 'SIGTERM'));
	}
	return bot();
}

/** A simulated Discord of its own, and what the bots need. `bot()`: the port of one, once both are up. */
async function botEnv(contender, more) {
	const simulator = await createSimulator({ guilds: 64, identifyWindowMs: 100 });
	ends.push(() => simulator.stop());
	const portFile = `${contender}-port`;
	const env = {
		...process.env,
		DISCORD_TOKEN: simulator.token,
		CROSS_CONTENDER: contender,
		CROSS_API: `${simulator.url}`,
		CROSS_MODULES: modules,
		CROSS_PORT: join(dir, portFile),
		...more,
	};
	const bot = async () => {
		for (let tries = 0; tries < 100; tries++) {
			const ports = readdirSync(dir).filter((name) => name.startsWith(portFile));
			if (ports.length === 2) return readFileSync(join(dir, ports[0]), 'utf8');
			await delay(200);
		}
		throw new Error(`the two bots of ${contender} are not ready after 20 s`);
	};
	return { env, simulator, bot };
}

async function ended(child, signal) {
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill(signal);
	await once(child, 'exit');
}

async function freePort() {
	const probe = createServer().listen(0, '127.0.0.1');
	await once(probe, 'listening');
	const { port } = probe.address();
	await new Promise((done) => probe.close(done));
	return port;
}

function print(line) {
	process.stdout.write(`${line}\n`);
}
