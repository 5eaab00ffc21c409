// Names clients that the manager cannot see because the bot did not attach() them, and libraries of a version that shardctl does not
// know. A client of the fleet's token that connects without attach() would connect every shard in every worker, so it is refused.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WorkerRuntime } from '../runtime.js';

/** Watches `connect()` of a class of a library whose clients need attach(). */
export function watchConnect(exports: unknown, file: string, className: string, runtime: WorkerRuntime): void {
	const prototype = classOf(exports, className)?.prototype;
	const connect = prototype?.connect;
	if (!prototype || typeof connect !== 'function') return;
	prototype.connect = function connectIfAttached(this: object, ...args: unknown[]): unknown {
		if (runtime.ending) return new Promise(() => {});
		if (runtime.isAttached(this) || !runtime.access.isOwnToken(tokenOf(this))) {
			runtime.noteClient();
			return connect.apply(this, args);
		}
		runtime.report({
			code: 'NOT_ATTACHED',
			message:
				`the bot's ${describePackage(file)} client connects without attach(), so it would run every shard in every worker. Add one ` +
				"line before it connects: attach(client), with attach from 'shardctl/worker'",
			fatal: true,
		});
		// Never connects; the process ends once the report has left.
		return new Promise(() => {});
	};
}

/** A discord.js that is not version 14: it picks up its slice from the environment, and nothing else is known of it. */
export function warnOfDiscordJs(library: { version: string }, runtime: WorkerRuntime): void {
	runtime.report({
		code: 'UNSUPPORTED_LIBRARY',
		message:
			`the bot uses discord.js ${library.version}, and shardctl supports version 14: calls such as broadcastEval, stats and the pace of ` +
			'identifies do not work with it. Update with npm install discord.js@14',
		fatal: false,
	});
}

interface Connecting {
	connect?: (this: object, ...args: unknown[]) => unknown;
}

/** eris exports a function, the others an object. */
function classOf(exports: unknown, name: string): { prototype: Connecting } | undefined {
	if (typeof exports !== 'function' && typeof exports !== 'object') return undefined;
	const found = (exports as Record<string, unknown> | null)?.[name];
	return typeof found === 'function' ? (found as unknown as { prototype: Connecting }) : undefined;
}

/** Where eris (older versions: `token`), oceanic.js and @discordjs/ws keep the token. */
function tokenOf(client: object): string | undefined {
	const { _token, token, options } = client as {
		_token?: unknown;
		token?: unknown;
		options?: { auth?: unknown; token?: unknown };
	};
	return [_token, token, options?.auth, options?.token].find((found) => typeof found === 'string') as string | undefined;
}

/** Name and version of the package that a file belongs to. */
function describePackage(file: string): string {
	for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
		try {
			const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
				name?: string;
				version?: string;
			};
			if (name !== undefined) return version === undefined ? name : `${name} ${version}`;
		} catch {
			// Not the package's folder yet.
		}
	}
	return 'gateway library';
}
