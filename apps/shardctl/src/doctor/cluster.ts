// Checks of the Redis that a cluster would use: whether it is reached, and how well it carries leases and state.
import { readFileSync } from 'node:fs';
import { clusterKeys, type EngineReport, engineProblems, engineReport, IoredisPort, timingsFor } from '@shardctl/cluster';
import { messageOf, systemClock } from '@shardctl/core';
import { grouped } from '../terminal/count.js';
import { type Finding, fail, ok, warn } from './finding.js';

export interface ClusterCheckOptions {
	url: string;
	/** Files. */
	ca?: string | undefined;
	cert?: string | undefined;
	key?: string | undefined;
	leaseMs?: number | undefined;
	/** The bot token, whose first part names the keys. */
	token: string;
}

const connectMs = 3000;

export async function checkCluster(options: ClusterCheckOptions): Promise<Finding[]> {
	const { url, ca, cert, key, leaseMs, token } = options;
	let redis: IoredisPort | undefined;
	try {
		if (!/^rediss?:$/.test(new URL(url).protocol)) throw new Error('it does not begin with redis:// or rediss://');
		const files = Object.entries({ ca, cert, key }).filter((entry): entry is [string, string] => entry[1] !== undefined);
		const tls = Object.fromEntries(files.map(([part, file]) => [part, readFileSync(file, 'utf8')]));
		redis = new IoredisPort({ url, ...(files.length > 0 && { tls }) });
	} catch (error) {
		return [
			fail(
				'redis',
				`--cluster: ${messageOf(error)}`,
				'name it as redis://HOST:PORT, or rediss:// with TLS, and its files in PEM',
			),
		];
	}
	try {
		await redis.ready(connectMs);
		const application = applicationOf(token);
		return clusterFindings(await engineReport(redis, clusterKeys(application), systemClock), { url, leaseMs, application });
	} catch (error) {
		const { summary, remedy } = inTwo(messageOf(error));
		return [fail('redis', summary, remedy)];
	} finally {
		await redis.close();
	}
}

/** What a report means, in the order in which to fix it. */
export function clusterFindings(
	report: EngineReport,
	{ url, leaseMs, application }: { url: string; leaseMs?: number | undefined; application: string },
): Finding[] {
	const timings = timingsFor(leaseMs === undefined ? {} : { leaseMs });
	const name = report.engine === 'valkey' ? 'Valkey' : 'Redis';
	const { protocol, host, hostname, password } = new URL(url);
	return [
		ok('redis', `${name} ${report.version} at ${protocol}//${host}, round trip ${report.roundTripMs.toFixed(1)} ms`),
		...engineProblems(report).map((problem) => {
			const { summary, remedy } = inTwo(problem);
			return fail('redis engine', summary, remedy);
		}),
		...(report.roundTripMs > timings.leaseMs / 60 ? [roundTripFinding(report, timings.leaseMs)] : []),
		rightsFinding(report, application),
		...(password === '' && !/^(localhost|127\.|\[::1\])/.test(hostname)
			? [
					warn(
						'redis password',
						'Redis accepts connections without a password: any process that reaches it can take every session away',
						`create a user: ACL SETUSER shardctl on '>PASSWORD' ${rights(application)}`,
					),
				]
			: []),
		memoryFinding(report),
		persistenceFinding(report),
		replicasFinding(report, timings),
		clockFinding(report),
	];
}

function rights(application: string): string {
	return `~shardctl:${application}:* '&shardctl:${application}:*' +@all -@dangerous +info`;
}

/** The first part of a token is the application's id in base64. */
function applicationOf(token: string): string {
	const id = Buffer.from(token.split('.', 1)[0] ?? '', 'base64').toString();
	return /^\d+$/.test(id) ? id : '0';
}

/** `it is so: do this` as what is wrong and what to do. */
function inTwo(text: string): { summary: string; remedy: string } {
	const at = Math.max(text.lastIndexOf(': '), text.lastIndexOf('. '));
	if (at < 0) return { summary: text, remedy: 'check the address, and that Redis runs there' };
	return { summary: text.slice(0, at), remedy: text.slice(at + 2) };
}

function roundTripFinding({ roundTripMs }: EngineReport, leaseMs: number): Finding {
	const neededMs = Math.ceil((roundTripMs * 150) / 1000) * 1000;
	return warn(
		'redis distance',
		`a round trip of ${roundTripMs.toFixed(0)} ms is long for a lease of ${leaseMs / 1000} s`,
		`use a Redis that is nearer, or --lease ${neededMs / 1000}s on every node`,
	);
}

function rightsFinding({ refusal }: EngineReport, application: string): Finding {
	if (refusal === undefined) return ok('redis rights', 'the user may do what a cluster needs');
	if (/NOREPLICAS/.test(refusal)) {
		return fail('redis writes', refusal, 'start the replicas, or set min-replicas-to-write to 0 where there are to be none');
	}
	if (/MISCONF|READONLY/.test(refusal))
		return fail('redis writes', refusal, 'look at the log of Redis: it accepts no writes now');
	return fail('redis rights', refusal, `give the user these rights: ACL SETUSER USER ${rights(application)}`);
}

function memoryFinding({ usedBytes, maxBytes }: EngineReport): Finding {
	const megabytes = (bytes: number) => `${grouped(Math.ceil(bytes / 2 ** 20))} MB`;
	if (maxBytes === 0) return ok('redis memory', `${megabytes(usedBytes)} used, no limit`);
	const text = `${megabytes(usedBytes)} of ${megabytes(maxBytes)} used`;
	if (usedBytes < maxBytes * 0.8) return ok('redis memory', text);
	return warn('redis memory', text, 'raise maxmemory: without memory, leases continue, but the state of sessions is not saved');
}

function persistenceFinding({ appendOnly, cannotSave }: EngineReport): Finding {
	if (cannotSave) {
		return fail(
			'redis files',
			'Redis could not write its files, and may refuse writes',
			'free space on its disk, and look at its log',
		);
	}
	if (appendOnly) return ok('redis files', 'every write is kept in a file (appendonly yes)');
	return warn(
		'redis files',
		'a restart of Redis loses the table and the saved state: no session has two owners then, but one that loses its node meanwhile is identified',
		'set "appendonly yes" in redis.conf',
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
