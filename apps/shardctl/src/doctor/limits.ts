// Whether the limits of this machine do for the planned fleet: file descriptors and memory.
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { grouped, plural } from '../terminal/count.js';
import { type Finding, ok, skip, warn } from './finding.js';

/** In the manager, for each worker: pipes and the channel. */
const descriptorsPerWorker = 6;
const descriptorsOfManager = 64;
/** A small discord.js bot; large caches need more. */
const bytesPerWorker = 80 * 2 ** 20;
const bytesPerShard = 40 * 2 ** 20;

export interface LimitsQuestion {
	/** Undefined when Discord could not be asked. */
	shards: number | undefined;
	shardsPerWorker: number | 'auto';
	cores: number;
}

export function checkLimits({ shards, shardsPerWorker, cores }: LimitsQuestion): Finding[] {
	if (shards === undefined) return [skip('limits', 'the number of shards is not known')];
	const perWorker = shardsPerWorker === 'auto' ? Math.ceil(shards / cores) : shardsPerWorker;
	const workers = Math.ceil(shards / perWorker);
	return [descriptorFinding(workers, openFilesLimit()), memoryFinding({ workers, shards, available: availableBytes() })];
}

function descriptorFinding(workers: number, limit: number | undefined): Finding {
	if (limit === undefined) return skip('descriptors', 'this system does not tell its limit');
	const needed = descriptorsOfManager + workers * descriptorsPerWorker;
	if (limit >= needed)
		return ok(
			'descriptors',
			`${plural(workers, 'worker')}: about ${needed} open files of ${limit === Number.POSITIVE_INFINITY ? 'any number' : limit}`,
		);
	return warn(
		'descriptors',
		`${plural(workers, 'worker')}: about ${needed} open files, the limit is ${limit}`,
		`raise it: ulimit -n ${needed * 2}, or LimitNOFILE= in the unit`,
	);
}

function memoryFinding({ workers, shards, available }: { workers: number; shards: number; available: number }): Finding {
	const needed = workers * bytesPerWorker + shards * bytesPerShard;
	const text = `${plural(shards, 'shard')} in ${plural(workers, 'worker')}: ${megabytes(needed)} and more, depending on what the bot keeps; there are ${megabytes(available)}`;
	if (needed < available * 0.8) return ok('memory', text);
	return warn(
		'memory',
		text,
		'put more shards into a worker (--shards-per-worker auto), keep less in caches, or use a larger machine',
	);
}

function openFilesLimit(): number | undefined {
	try {
		const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
		return soft === 'unlimited' ? Number.POSITIVE_INFINITY : soft === undefined ? undefined : Number(soft);
	} catch {
		return undefined;
	}
}

/** What the machine or the container has. */
function availableBytes(): number {
	const constrained = process.constrainedMemory();
	return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}

function megabytes(bytes: number): string {
	return `${grouped(Math.round(bytes / 2 ** 20))} MB`;
}
