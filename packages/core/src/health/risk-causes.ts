// What serves every shard now and will fail: snapshots that cannot be saved, and what the machine or the manager runs out of.
import type { GatewayFacts, HealthCause, HealthCauseKind, HealthFacts, HostFacts } from '../contract/health.js';
import { plural } from '../plural.js';
import { describeShards } from '../shards.js';
import { cause, sorted } from './cause.js';

/** Below this much free space the state folder is reported. */
const lowDiskBytes = 64 * 2 ** 20;
/** Above this share of the open files that the manager may have they are reported. */
const highOpenFiles = 0.9;
/** Below this share of the memory it is reported. */
const lowMemory = 0.03;

export function risks({ gateways = [], host }: HealthFacts): HealthCause[] {
	// A full disk is why snapshots fail.
	return [...hostRisks(host), ...snapshotRisks(gateways)];
}

/** The gateway processes of a fleet save to one disk, so they mostly fail alike: the first error stands for all. */
function snapshotRisks(gateways: readonly GatewayFacts[]): HealthCause[] {
	const failures = gateways.flatMap(({ snapshotFailure }) => snapshotFailure ?? []);
	const [first] = failures;
	if (!first) return [];
	const shardIds = failures.flatMap((failure) => failure.shardIds);
	const more = failures.length > 1 ? ` and ${plural(failures.length - 1, 'more folder')}` : '';
	const message = `snapshots of ${describeShards(sorted(shardIds))} cannot be saved in ${first.folder}${more}: ${first.error}`;
	return [
		cause('snapshots-failing', 'risk', shardIds, message, {
			since: Math.min(...failures.map(({ since }) => since)),
			remedy: `${snapshotRemedy(first.error)}: a gateway process that ends now loses its sessions`,
		}),
	];
}

function snapshotRemedy(error: string): string {
	if (/ENOSPC|EDQUOT/.test(error)) return 'free space in that folder';
	if (/\bRedis\b/.test(error)) return 'check Redis, and that the gateway processes reach it';
	return /EACCES|EPERM|EROFS/.test(error) ? 'make that folder writable' : 'check that folder and its disk';
}

/** What runs out for the whole machine or for the manager, and would take the fleet with it. */
function hostRisks(
	{ stateDir, openFiles, memory }: HostFacts = { stateDir: null, openFiles: null, memory: null },
): HealthCause[] {
	const causes: HealthCause[] = [];
	const add = (kind: HealthCauseKind, message: string, remedy: string) =>
		causes.push(cause(kind, 'risk', [], message, { remedy }));
	if (stateDir && stateDir.freeBytes < lowDiskBytes) {
		add(
			'disk-full',
			stateDir.freeBytes < 2 ** 20
				? `the disk of the state folder ${stateDir.folder} is full`
				: `the disk of the state folder ${stateDir.folder} is almost full (${megabytes(stateDir.freeBytes)} free)`,
			'free space in that folder: without it snapshots, logs and history cannot be saved',
		);
	}
	if (openFiles && openFiles.used > openFiles.limit * highOpenFiles) {
		add(
			'open-files-low',
			`the manager has ${openFiles.used} of ${openFiles.limit} open files: further workers cannot start`,
			'raise the limit (ulimit -n, LimitNOFILE= in a systemd unit) and restart the fleet, or use more shards per worker',
		);
	}
	if (memory && memory.availableBytes < memory.totalBytes * lowMemory) {
		add(
			'memory-low',
			`${megabytes(memory.availableBytes)} of ${megabytes(memory.totalBytes)} memory available: the system may kill a process of the fleet`,
			'stop other programs, use smaller caches or --max-memory, or a larger machine',
		);
	}
	return causes;
}

function megabytes(bytes: number): string {
	return `${Math.floor(bytes / 2 ** 20)} MB`;
}
