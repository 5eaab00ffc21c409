// Checks of the Redis that a cluster would use: whether it is reached, and how well it carries leases and state.
import { type EngineReport, timingsFor } from '@shardctl/cluster';
import { type Finding, ok, warn } from './finding.js';
import { engineFindings, examineRedis, type RedisAddress, type RedisUse, type ReportContext, useFindings } from './redis.js';

export interface ClusterCheckOptions extends RedisAddress {
	leaseMs?: number | undefined;
	/** The bot token, whose first part names the keys. */
	token: string;
}

const use: RedisUse = {
	name: 'a cluster',
	exposure: 'take every session away',
	fullLoses: 'leases continue, but the state of sessions is not saved',
	restartLoses:
		'the table and the saved state: no session has two owners then, but one that loses its node meanwhile is identified',
};

export async function checkCluster({ leaseMs, token, ...address }: ClusterCheckOptions): Promise<Finding[]> {
	return examineRedis({ address, option: '--cluster', token }, (report, context) =>
		clusterFindings(report, { ...context, leaseMs }),
	);
}

/** What a report means, in the order in which to fix it. */
export function clusterFindings(
	report: EngineReport,
	{ leaseMs, ...context }: ReportContext & { leaseMs?: number | undefined },
): Finding[] {
	const timings = timingsFor(leaseMs === undefined ? {} : { leaseMs });
	return [
		...engineFindings(report, context),
		...(report.roundTripMs > timings.leaseMs / 60 ? [roundTripFinding(report, timings.leaseMs)] : []),
		...useFindings(report, context, use),
		replicasFinding(report, timings),
		clockFinding(report),
	];
}

function roundTripFinding({ roundTripMs }: EngineReport, leaseMs: number): Finding {
	const neededMs = Math.ceil((roundTripMs * 150) / 1000) * 1000;
	return warn(
		'redis distance',
		`a round trip of ${roundTripMs.toFixed(0)} ms is long for a lease of ${leaseMs / 1000} s`,
		`use a Redis that is nearer, or --lease ${neededMs / 1000}s on every node`,
	);
}

function replicasFinding(
	{ replicas, boundsReplicas, maxLagMs }: EngineReport,
	{ quietMs, validMs }: { quietMs: number; validMs: number },
): Finding {
	if (replicas === 0) return ok('redis replicas', 'none');
	const longestMs = Math.floor((quietMs - validMs - 1000) / 1000) * 1000;
	const remedy = `set "min-replicas-to-write 1" and "min-replicas-max-lag ${Math.max(1, longestMs / 1000)}" on the master and its replicas`;
	const text = `${replicas} connected`;
	if (!boundsReplicas) {
		return warn(
			'redis replicas',
			`${text}, and a master that is cut off from them accepts writes: two nodes could own a session`,
			remedy,
		);
	}
	if (maxLagMs === undefined) {
		return warn(
			'redis replicas',
			`${text}; this user may not read min-replicas-max-lag`,
			`check that it is at most ${longestMs / 1000}`,
		);
	}
	if (maxLagMs > longestMs) {
		return warn(
			'redis replicas',
			`${text}, and a master that is cut off from them accepts writes for ${maxLagMs / 1000} s, which is longer than the quiet period covers`,
			remedy,
		);
	}
	return ok('redis replicas', `${text}; a master that is cut off from them refuses writes after ${maxLagMs / 1000} s`);
}

function clockFinding({ clockAheadMs }: EngineReport): Finding {
	const seconds = (Math.abs(clockAheadMs) / 1000).toFixed(1);
	if (Math.abs(clockAheadMs) < 1000) return ok('redis clock', 'agrees with the clock of this machine');
	return warn(
		'redis clock',
		`is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} the clock of this machine`,
		'set both by NTP: when the clock of Redis is corrected later, nothing is placed for several seconds',
	);
}
