// Loaded into the bot's process before the bot (`node --import`): the login methods of the libraries report to the doctor instead,
// and the network and other processes are closed to it, so that nothing happens except the bot's own start.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { type BotReport, sendReport } from './bot-report.js';
import { type Attempt, closeWorld } from './closed-world.js';
import { reportChannel } from './thread-reports.js';

interface LoginMethod {
	library: string;
	/** The exported class, and its method that opens the connection. */
	className: string;
	method: string;
}

const logins: readonly LoginMethod[] = [
	{ library: 'discord.js', className: 'Client', method: 'login' },
	{ library: '@discordjs/ws', className: 'WebSocketManager', method: 'connect' },
	{ library: 'eris', className: 'Client', method: 'connect' },
	{ library: '@projectdysnomia/dysnomia', className: 'Client', method: 'connect' },
	{ library: 'oceanic.js', className: 'Client', method: 'connect' },
];

type Patchable = { prototype: Record<string, unknown> } | undefined;

/** What attach() adds to; the same key is in the worker package. */
const attached = new Set<object>();
(globalThis as Record<symbol, unknown>)[Symbol.for('shardctl.doctor.attached')] = attached;

/** Of @discordjs/core the client is attached, and the manager in its `gateway` connects. */
function isAttached(client: object): boolean {
	return [...attached].some((found) => found === client || (found as { gateway?: unknown }).gateway === client);
}

const never = () => new Promise<never>(() => {});

async function holdBack(botFile: string): Promise<void> {
	const require = createRequire(botFile);
	for (const { library, className, method } of logins) {
		for (const loaded of await loadedForms(require, library)) {
			replace(loaded[className] as Patchable, method, function (this: object) {
				report({ library, ...intentsOf(this), attached: library === 'discord.js' || isAttached(this) });
				return never();
			});
			replace(loaded.REST as Patchable, 'request', never);
		}
	}
}

/** A package may have two builds, one for `require` and one for `import`; the bot may use either. */
async function loadedForms(require: NodeJS.Require, library: string): Promise<Record<string, unknown>[]> {
	let path: string;
	try {
		path = require.resolve(library);
	} catch {
		return [];
	}
	const forms = [require(path) as Record<string, unknown>];
	try {
		forms.push((await import(pathToFileURL(path).href)) as Record<string, unknown>);
	} catch {
		// There is only one build.
	}
	return forms;
}

function replace(target: Patchable, method: string, replacement: unknown): void {
	if (typeof target?.prototype?.[method] === 'function') target.prototype[method] = replacement;
}

function intentsOf(client: unknown): { intents?: number } {
	const { options } = client as { options?: { intents?: unknown } };
	const { intents } = options ?? {};
	const bits = typeof intents === 'object' && intents !== null && 'bitfield' in intents ? intents.bitfield : intents;
	return typeof bits === 'number' ? { intents: bits } : {};
}

/** A thread has no channel to the doctor: what it reports reaches the main thread of its process. */
const fromThreads = new BroadcastChannel(reportChannel);
const report = isMainThread ? sendReport : (message: BotReport) => fromThreads.postMessage(message);
const botFile = process.env.SHARDCTL_DOCTOR_BOT;
delete process.env.SHARDCTL_DOCTOR_BOT;
if (isMainThread && botFile !== undefined) {
	fromThreads.onmessage = (event) => sendReport((event as { data: Attempt }).data);
	// The doctor is gone.
	process.once('disconnect', () => process.exit(1));
	// Without a listener the channel does not keep the bot's process alive.
	process.channel?.unref();
}
fromThreads.unref();
if (!isMainThread || botFile !== undefined) closeWorld(report);
// Threads that the bot starts do not get the variable.
if (botFile !== undefined) await holdBack(botFile);
