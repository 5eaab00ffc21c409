// Starts the benchmark's own processes and ends every process of a run, also orphaned ones.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ipcPort, Peer } from '@shardctl/rpc';
import { Noise } from './noise.mjs';
import { isAlive, pidsWithEnv } from './processes.mjs';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** A window that no identify ever waits for. */
export const noWindowMs = 1;

export const bots = {
	discordJs: file('../bots/discord-js-bot.cjs'),
	tiny: file('../bots/tiny-bot.cjs'),
	echo: file('../bots/echo.cjs'),
	stamping: file('../bots/stamping-bot.cjs'),
};

export class Host {
	/** Sampled between the turns of contenders. */
	noise = new Noise();
	#run = randomUUID();
	#stateDir = mkdtempSync(join(tmpdir(), 'shardctl-bench-'));
	#simulators;

	/** A simulated Discord: `{ id, api, token, counts(), stop() }`. */
	async simulator(options) {
		this.#simulators ??= this.#fork(file('./simulator-main.mjs'), {});
		const { peer } = this.#simulators;
		const defaults = { guilds: 64, sessionStarts: { total: 1_000_000 }, logCapacity: 1_000_000 };
		const { id, api, token } = await peer.request('create', { ...defaults, ...options });
		return {
			api,
			token,
			identifyWindowMs: options.identifyWindowMs ?? 5000,
			counts: () => peer.request('counts', { id }),
			stop: () => peer.request('stop', { id }),
		};
	}

	/** The manager process of a contender: `{ pid, request(method, params), end() }`. Its fleet is started by `start`. */
	contender(name, env = {}) {
		const { child, peer } = this.#fork(file('./contender-main.mjs'), { BENCH_CONTENDER: name, ...env });
		return {
			name,
			pid: child.pid,
			request: (method, params = null) => peer.request(method, params, { timeoutMs: 400_000 }),
			start: (simulator, options) => {
				const { api, token, identifyWindowMs } = simulator;
				return peer.request('start', { shardsPerWorker: 1, api, token, identifyWindowMs, ...options }, { timeoutMs: 400_000 });
			},
			/** Ends the fleet and the manager; resolves when all of it is gone. */
			end: async () => {
				const pids = await peer.request('pids', null, { timeoutMs: 5000 }).catch(() => []);
				await peer.request('stop', null, { timeoutMs: 10_000 }).catch(() => {});
				child.kill('SIGKILL');
				for (const pid of pids) endProcess(pid);
				await gone([child.pid, ...pids]);
			},
		};
	}

	/** Another process of the benchmark's: `{ child, peer }`. It is ended with the run. */
	process(main, { env = {}, execArgv = [] } = {}) {
		return this.#fork(main, env, execArgv);
	}

	/** Ends every remaining process of this run. */
	async close() {
		await this.noise.close();
		// A dying process may have been about to start another, so this repeats until nothing is found.
		for (let pids = pidsWithEnv('BENCH_RUN', this.#run); pids.length > 0; pids = pidsWithEnv('BENCH_RUN', this.#run)) {
			for (const pid of pids) endProcess(pid);
			await gone(pids);
		}
		rmSync(this.#stateDir, { recursive: true, force: true });
	}

	#fork(main, env, execArgv = []) {
		const child = fork(main, [], {
			execArgv,
			env: { ...process.env, BENCH_RUN: this.#run, SHARDCTL_STATE_DIR: this.#stateDir, NODE_NO_WARNINGS: '1', ...env },
			stdio: ['ignore', 'ignore', process.env.BENCH_VERBOSE ? 'inherit' : 'ignore', 'ipc'],
		});
		return { child, peer: new Peer({ port: ipcPort(child), epoch: 1 }) };
	}
}

function endProcess(pid) {
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		// It was gone already.
	}
}

async function gone(pids) {
	while (pids.some((pid) => isAlive(pid))) await new Promise((resolve) => setTimeout(resolve, 20));
}
