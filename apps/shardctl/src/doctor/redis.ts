// What the Redis of a cluster and that of an event queue are checked for alike: whether it is reached, what it is, and what its user may do.
import { readFileSync } from 'node:fs';
import { clusterKeys, type EngineReport, engineProblems, engineReport, IoredisPort } from '@shardctl/cluster';
import { messageOf, systemClock } from '@shardctl/core';
import { grouped } from '../terminal/count.js';
import { type Finding, fail, ok, warn } from './finding.js';

export interface RedisAddress {
	url: string;
	/** Files in PEM, for `rediss://`. */
	ca?: string | undefined;
	cert?: string | undefined;
	key?: string | undefined;
}

/** What the Redis is for, as the findings name it. */
export interface RedisUse {
	/** Such as `a cluster`. */
	readonly name: string;
	/** What any process can do to a Redis without a password. */
	readonly exposure: string;
	/** What is lost while its memory is full. */
	readonly fullLoses: string;
	/** What is lost with a restart of a Redis that keeps no file of its writes. */
	readonly restartLoses: string;
}

export interface ReportContext {
	readonly url: string;
	/** The application's id, which begins the names of the keys. */
	readonly application: string;
}

const connectMs = 3000;

/** @param option What has named the address, for a message about an address that cannot be used. */
export async function examineRedis(
	{ address, option, token }: { address: RedisAddress; option: string; token: string },
	findingsOf: (report: EngineReport, context: ReportContext) => Finding[],
): Promise<Finding[]> {
	const { url, ca, cert, key } = address;
	let redis: IoredisPort | undefined;
	try {
		if (!/^rediss?:$/.test(new URL(url).protocol)) throw new Error('it does not begin with redis:// or rediss://');
		const files = Object.entries({ ca, cert, key }).filter((entry): entry is [string, string] => entry[1] !== undefined);
		const tls = Object.fromEntries(files.map(([part, file]) => [part, readFileSync(file, 'utf8')]));
		redis = new IoredisPort({ url, ...(files.length > 0 && { tls }) });
	} catch (error) {
		const remedy = 'name it as redis://HOST:PORT, or rediss:// with TLS, and its files in PEM';
		return [fail('redis', `${option}: ${messageOf(error)}`, remedy)];
	}
	try {
		await redis.ready(connectMs);
		const application = applicationOf(token);
		return findingsOf(await engineReport(redis, clusterKeys(application), systemClock), { url, application });
	} catch (error) {
		const { summary, remedy } = inTwo(messageOf(error));
		return [fail('redis', summary, remedy)];
	} finally {
		await redis.close();
	}
}

/** What the Redis is, and what about it cannot work. */
export function engineFindings(report: EngineReport, { url }: ReportContext): Finding[] {
	const name = report.engine === 'valkey' ? 'Valkey' : 'Redis';
	const { protocol, host } = new URL(url);
	return [
		ok('redis', `${name} ${report.version} at ${protocol}//${host}, round trip ${report.roundTripMs.toFixed(1)} ms`),
		...engineProblems(report).map((problem) => {
			const { summary, remedy } = inTwo(problem);
			return fail('redis engine', summary, remedy);
		}),
	];
}

export function megabytes(bytes: number): string {
	return `${grouped(Math.ceil(bytes / 2 ** 20))} MB`;
}

/** What its user may do, who else reaches it, and what it keeps. */
export function useFindings(report: EngineReport, { url, application }: ReportContext, use: RedisUse): Finding[] {
	const { hostname, password } = new URL(url);
	const isOpen = password === '' && !/^(localhost|127\.|\[::1\])/.test(hostname);
	return [
		rightsFinding(report, application, use),
		...(isOpen
			? [
					warn(
						'redis password',
						`Redis accepts connections without a password: any process that reaches it can ${use.exposure}`,
						`create a user: ACL SETUSER shardctl on '>PASSWORD' ${rights(application)}`,
					),
				]
			: []),
		memoryFinding(report, use),
		persistenceFinding(report, use),
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

function rightsFinding({ refusal }: EngineReport, application: string, { name }: RedisUse): Finding {
	if (refusal === undefined) return ok('redis rights', `the user may do what ${name} needs`);
	if (/NOREPLICAS/.test(refusal)) {
		return fail('redis writes', refusal, 'start the replicas, or set min-replicas-to-write to 0 where there are to be none');
	}
	if (/MISCONF|READONLY/.test(refusal))
		return fail('redis writes', refusal, 'look at the log of Redis: it accepts no writes now');
	return fail('redis rights', refusal, `give the user these rights: ACL SETUSER USER ${rights(application)}`);
}

function memoryFinding({ usedBytes, maxBytes }: EngineReport, { fullLoses }: RedisUse): Finding {
	if (maxBytes === 0) return ok('redis memory', `${megabytes(usedBytes)} used, no limit`);
	const text = `${megabytes(usedBytes)} of ${megabytes(maxBytes)} used`;
	if (usedBytes >= maxBytes) return fail('redis memory', `Redis is full: ${text}`, `raise maxmemory: now ${fullLoses}`);
	if (usedBytes < maxBytes * 0.8) return ok('redis memory', text);
	return warn('redis memory', text, `raise maxmemory: without memory, ${fullLoses}`);
}

function persistenceFinding({ appendOnly, cannotSave }: EngineReport, { restartLoses }: RedisUse): Finding {
	if (cannotSave) {
		return fail(
			'redis files',
			'Redis could not write its files, and may refuse writes',
			'free space on its disk, and look at its log',
		);
	}
	if (appendOnly) return ok('redis files', 'every write is kept in a file (appendonly yes)');
	return warn('redis files', `a restart of Redis loses ${restartLoses}`, 'set "appendonly yes" in redis.conf');
}
