// Where and on what a run was made, so that its figures can be judged later.
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import * as discordJs from '../contenders/discord-js.mjs';
import * as hybridSharding from '../contenders/hybrid-sharding.mjs';

export function environment() {
	return {
		at: new Date().toISOString(),
		node: process.version,
		system: `${process.platform} ${release()} ${process.arch}`,
		processor: cpus()[0]?.model ?? 'unknown',
		cores: availableParallelism(),
		memoryGb: Math.round(totalmem() / 2 ** 30),
		load: loadavg().map((load) => Number(load.toFixed(2))),
		shardctl: commit(),
		peers: [discordJs.title, hybridSharding.title],
	};
}

function commit() {
	try {
		const git = (...args) => execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
		return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') ? ' with changes' : ''}`;
	} catch {
		return 'unknown';
	}
}
