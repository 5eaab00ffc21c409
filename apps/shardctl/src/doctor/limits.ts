// Whether this machine has enough file descriptors and memory for the planned fleet.
import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { grouped, plural } from '../terminal/count.js';
import { type Finding, ok, skip, warn } from './finding.js';

/** In the manager, for each worker: pipes and the channel. */
const descriptorsPerWorker = 6;
const descriptorsOfManager = 64;
/** A small discord.js bot; large caches need more. */
const bytesPerWorker = 80 * 2 ** 20;
const bytesPerShard = 40 * 2 ** 20;

export interface LimitsQuestion {
	/** Undefined when Discord did not answer. */
	shards: number | undefined;
	shardsPerWorker: number | 'auto';
	cores: number;
	/** With a queue, whose workers have no shards. */
	workers?: number;
}

export function checkLimits({ shards, shardsPerWorker, cores, workers: given }: LimitsQuestion): Finding[] {
	if (shards === undefined) return [skip('limits', 'skipped: the number of shards is unknown')];
	const perWorker = shardsPerWorker === 'auto' ? Math.ceil(shards / cores) : shardsPerWorker;
	const workers = given ?? Math.ceil(shards / perWorker);
	return [
		descriptorFinding(workers, openFilesLimit()),
		memoryFinding({ workers, shards, available: availableBytes(), isQueue: given !== undefined }),
	];
}

function descriptorFinding(workers: number, limit: number | undefined): Finding {
	if (limit === undefined) return skip('descriptors', "skipped: cannot read this system's limit");
	const needed = descriptorsOfManager + workers * descriptorsPerWorker;
	if (limit >= needed)
		return ok(
			'descriptors',
			`${plural(workers, 'worker')}: about ${needed} open files, limit ${limit === Number.POSITIVE_INFINITY ? 'none' : limit}`,
		);
	return warn(
		'descriptors',
		`${plural(workers, 'worker')}: about ${needed} open files, limit ${limit}`,
		`raise the limit: ulimit -n ${needed * 2}, or LimitNOFILE= in the systemd unit`,
	);
}

function memoryFinding({
	workers,
	shards,
	available,
	isQueue,
}: {
	workers: number;
	shards: number;
	available: number;
	isQueue: boolean;
}): Finding {
	const needed = workers * bytesPerWorker + shards * bytesPerShard;
	const text = `${plural(shards, 'shard')} ${isQueue ? 'and' : 'in'} ${plural(workers, 'worker')}: at least ${megabytes(needed)} plus caches; ${megabytes(available)} available`;
	if (needed < available * 0.8) return ok('memory', text);
	if (isQueue) return warn('memory', text, 'run fewer workers here, and others on another machine, or use a larger machine');
	return warn('memory', text, 'use more shards per worker (--shards-per-worker auto), smaller caches, or a larger machine');
}

function openFilesLimit(): number | undefined {
	try {
		const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
		return soft === 'unlimited' ? Number.POSITIVE_INFINITY : soft === undefined ? undefined : Number(soft);
	} catch {
		return undefined;
	}
}

/** What other programs of the machine or the container leave. */
function availableBytes(): number {
	const constrained = process.constrainedMemory();
	const total = constrained > 0 && constrained < totalmem() ? constrained : totalmem();
	return Math.min(process.availableMemory?.() ?? freemem(), total);
}

function megabytes(bytes: number): string {
	return `${grouped(Math.round(bytes / 2 ** 20))} MB`;
}
