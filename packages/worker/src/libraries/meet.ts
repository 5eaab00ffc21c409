// Which modules of which libraries are hooked in a worker, and how. Each hook goes through what the library exports; a bot that
// never loads a library pays nothing for it.
import { hookDiscordJs } from '../discordjs/hook.js';
import { isDiscordJs, isOtherDiscordJs } from '../discordjs/library.js';
import { field } from '../fields.js';
import type { WorkerRuntime } from '../runtime.js';
import { loadEarlyModules } from './early-modules.js';
import { hookClusterClient, hookClusterInfo } from './hybrid-sharding.js';
import { onModuleLoad } from './module-loads.js';
import { refuseClusterFork, refuseManagerClass } from './nested-manager.js';
import { warnOfDiscordJs, watchConnect } from './unattached.js';

interface LibraryModule {
	/** The file, from the package's folder on; an alias gives a package another name, so discord.js is known by its shape. */
	file: RegExp;
	/** The exports to ask an ES module for; without them the module is CommonJS only. */
	esm?: readonly string[];
	hook(exports: unknown, file: string, runtime: WorkerRuntime): void;
}

const modules: readonly LibraryModule[] = [
	{
		file: /[\\/]src[\\/]index\.js$/,
		hook(exports, file, runtime) {
			if (isDiscordJs(exports)) hookDiscordJs(exports, file, runtime);
			else if (isOtherDiscordJs(exports)) warnOfDiscordJs(exports, runtime);
			else return;
			refuseManagerClass(exports, 'ShardingManager', 'discord.js', runtime);
		},
	},
	{
		// Every copy in the tree: also a `new REST()` of the bot's own goes to the API that the manager was given.
		file: /[\\/]@discordjs[\\/]rest[\\/]dist[\\/]index\.m?js$/,
		esm: ['DefaultRestOptions'],
		hook(exports, _, runtime) {
			const options = field(exports, 'DefaultRestOptions') as { api: string } | undefined;
			if (options) options.api = runtime.config.api;
		},
	},
	{
		file: /[\\/]@discordjs[\\/]ws[\\/]dist[\\/]index\.m?js$/,
		esm: ['WebSocketManager'],
		hook: (exports, file, runtime) => watchConnect(exports, file, 'WebSocketManager', runtime),
	},
	{
		file: /[\\/](?:eris|@projectdysnomia[\\/]dysnomia)[\\/]index\.js$|[\\/]oceanic\.js[\\/]dist[\\/]lib[\\/]index\.js$/,
		hook: (exports, file, runtime) => watchConnect(exports, file, 'Client', runtime),
	},
	{
		file: /[\\/]discord-hybrid-sharding[\\/]dist[\\/]Structures[\\/]Data\.js$/,
		hook: (exports, _, runtime) => hookClusterInfo(exports, runtime),
	},
	{
		file: /[\\/]discord-hybrid-sharding[\\/]dist[\\/]Core[\\/]ClusterClient\.js$/,
		hook: (exports, _, runtime) => hookClusterClient(exports, runtime),
	},
	{
		file: /[\\/]discord-hybrid-sharding[\\/]dist[\\/]Core[\\/]ClusterManager\.js$/,
		hook: (exports, _, runtime) => refuseManagerClass(exports, 'ClusterManager', 'discord-hybrid-sharding', runtime),
	},
];

/** What all of them end in, for a quick no to the thousands of other files. */
const candidate = /[\\/](?:index\.m?js|Data\.js|Cluster(?:Client|Manager)\.js)$/;

/** Hooks every copy of each library that the bot loads. */
export function meetLibraries(runtime: WorkerRuntime): void {
	const moduleOf = (file: string) => (candidate.test(file) ? modules.find((module) => module.file.test(file)) : undefined);
	const hook = (exports: unknown, file: string): void => moduleOf(file)?.hook(exports, file, runtime);
	onModuleLoad({ commonjs: (file) => moduleOf(file) !== undefined, esm: (file) => moduleOf(file)?.esm }, hook);
	loadEarlyModules(runtime.config.botFile, hook);
	refuseClusterFork(runtime);
}
