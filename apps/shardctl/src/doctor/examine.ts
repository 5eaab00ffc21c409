// Runs the checks of the doctor in order; later checks use the results of earlier ones.
import { cpus } from 'node:os';
import { messageOf, ShardctlError } from '@shardctl/core';
import { absoluteBotFile, typeScriptLoader } from '@shardctl/manager';
import { recogniseManagerFile } from '@shardctl/manager/manager-file';
import { findConfig } from '../config/find-config.js';
import { type LoadedConfig, loadConfig } from '../config/load-config.js';
import { botToken } from '../start/bot-token.js';
import { gatewayModeOf, resolveStart, type StartPlan } from '../start/resolve-start.js';
import { readTokenFile } from '../start/token-file.js';
import { checkDiscord } from './discord.js';
import type { DoctorOptions } from './doctor-options.js';
import { type Finding, fail, ok, skip } from './finding.js';
import { checkForeignBot } from './foreign-bot.js';
import { checkImport, type ImportedBot } from './import-bot.js';
import { checkLibrary } from './library.js';
import { checkLimits } from './limits.js';
import { checkNode, checkState } from './machine.js';
import type { RedisAddress } from './redis.js';
import { checkToken } from './token.js';

/** All findings, in the order in which to fix them. */
export async function examine(file: string | undefined, options: DoctorOptions): Promise<Finding[]> {
	const findings: Finding[] = [checkNode(process.versions.node), checkState()];
	const plan = await plannedStart(file, options, findings);
	const foreign =
		plan &&
		plan.file !== null &&
		checkForeignBot({
			file: plan.file,
			interpreter: plan.manager.interpreter,
			cwd: plan.manager.cwd ?? process.cwd(),
			env: { ...process.env, ...plan.manager.env },
		});
	// A worker that is imported here would connect to the queue and take its events.
	const isQueue = plan !== undefined && gatewayModeOf(plan.manager) === 'queue';
	const threads = plan?.manager.workerMode === 'thread';
	if (foreign) {
		findings.push(...foreign);
		if (threads) findings.push(fail('threads', 'only bots for Node.js run in threads', 'leave out --worker-mode thread'));
	}
	const bot = foreign ? undefined : botFile(plan, findings);
	let imported: ImportedBot | undefined;
	if (bot !== undefined && isQueue) {
		findings.push(skip('import', 'skipped: a worker of the queue would connect to it and take events'));
	} else if (bot !== undefined) {
		findings.push(checkLibrary(bot));
		if (options.import) {
			const { args = [], execArgv = [], env } = plan?.manager ?? {};
			const loader = typeScriptLoader(bot, {
				execArgv,
				nodeOptions: env?.NODE_OPTIONS ?? process.env.NODE_OPTIONS,
				besideImport: true,
			});
			const result = await checkImport(bot, { args, execArgv: [...(loader?.execArgv ?? []), ...execArgv], threads });
			imported = result.bot;
			findings.push(result.finding);
		} else findings.push(skip('import', 'skipped: --no-import'));
	}
	const totalShards = plan?.manager.totalShards ?? 'auto';
	const { token, place }: FoundToken = options.simulate ? { token: '' } : tokenOf(plan, options, findings);
	findings.push(options.simulate ? skip('token', 'skipped: --simulate') : checkToken(token, place));
	const discord = options.simulate
		? { findings: [skip('gateway', 'skipped: --simulate')], shards: totalShards === 'auto' ? undefined : totalShards }
		: await checkDiscord({
				api: (options.api ?? plan?.manager.api ?? 'https://discord.com/api').replace(/\/+$/, ''),
				token,
				totalShards,
				gateway: plan?.manager.gateway,
				intents: imported?.intents,
			});
	findings.push(...discord.findings);
	findings.push(
		...checkLimits({
			shards: discord.shards,
			shardsPerWorker: plan?.manager.shardsPerWorker ?? 1,
			cores: Math.max(1, cpus().length),
			...(isQueue && { workers: plan.file === null ? 0 : (plan.manager.workers ?? 1) }),
		}),
	);
	if (isQueue) {
		const { checkQueue } = await import('./queue.js');
		const cluster = clusterRedis(options, plan);
		findings.push(...(await checkQueue({ queue: plan.manager.queue, token, env: process.env, cluster })));
	}
	if (options.cluster !== undefined) {
		const { cluster: url, clusterCa: ca, clusterCert: cert, clusterKey: key, lease: leaseMs } = options;
		// Loaded only where it is needed.
		const { checkCluster } = await import('./cluster.js');
		findings.push(...(await checkCluster({ url, ca, cert, key, leaseMs, token })));
	}
	return findings;
}

/** The Redis of the cluster that was named here, or in the config file. */
function clusterRedis(
	{ cluster: named, clusterCa, clusterCert, clusterKey }: DoctorOptions,
	{ manager: { cluster } }: StartPlan,
): RedisAddress | undefined {
	if (named !== undefined) return { url: named, ca: clusterCa, cert: clusterCert, key: clusterKey };
	const { url, ca, cert, key } = typeof cluster === 'string' ? { url: cluster } : (cluster ?? {});
	return url === undefined ? undefined : { url, ca, cert, key };
}

/** What `start` would do with the same options; without a bot file the other checks still run. */
async function plannedStart(
	file: string | undefined,
	options: DoctorOptions,
	findings: Finding[],
): Promise<StartPlan | undefined> {
	const { interpreter, workerMode, shards, shardsPerWorker, tokenFile } = options;
	const given = Object.fromEntries(
		Object.entries({ interpreter, workerMode, shards, shardsPerWorker, tokenFile }).filter(([, value]) => value !== undefined),
	);
	try {
		const config = await configOf(options.config);
		if (config) findings.push(ok('config', `read ${config.path}`));
		return resolveStart({ file, args: [], given, config });
	} catch (error) {
		// Only a fleet that writes to a queue has none.
		if (ShardctlError.is(error) && error.code === 'BOT_FILE_INVALID' && file === undefined) {
			findings.push(skip('file', 'no bot file was named: shardctl doctor <file>'));
			return undefined;
		}
		findings.push(fail('config', messageOf(error), 'fix the config file; "shardctl init --force" writes a new one'));
		return undefined;
	}
}

async function configOf(named: string | undefined): Promise<LoadedConfig | undefined> {
	const path = findConfig(named, process.cwd());
	return path === undefined ? undefined : loadConfig(path);
}

function botFile(plan: StartPlan | undefined, findings: Finding[]): string | undefined {
	if (!plan || plan.file === null) return undefined;
	const path = absoluteBotFile(plan.file, plan.manager.cwd ?? process.cwd());
	if (path instanceof ShardctlError) {
		findings.push(fail('file', path.message, 'name the file that starts the bot'));
		return undefined;
	}
	const manager = recogniseManagerFile(path, plan.manager.cwd ?? process.cwd());
	if (manager) {
		const { starts, botFile: started } = manager;
		findings.push(
			fail(
				'file',
				`${path} starts ${starts}${started === undefined ? '' : ` for ${started}`}: under shardctl each worker would start a fleet of its own`,
				started === undefined ? 'name the file that logs in instead' : `name that file instead: shardctl start ${started}`,
			),
		);
		return undefined;
	}
	findings.push(ok('file', path));
	return path;
}

/** The token, and where it was found if it was not given. */
interface FoundToken {
	token: string;
	place?: string | undefined;
}

function tokenOf(plan: StartPlan | undefined, { tokenFile }: DoctorOptions, findings: Finding[]): FoundToken {
	try {
		const { token = '', place } = plan
			? botToken(plan)
			: { token: tokenFile === undefined ? process.env.DISCORD_TOKEN : readTokenFile(tokenFile) };
		return { token: token.trim().replace(/^Bot\s+/i, ''), place };
	} catch (error) {
		findings.push(fail('token', messageOf(error), 'check --token-file, or set DISCORD_TOKEN'));
		return { token: '' };
	}
}
