// Tells when the bot loads discord.js, so that a bot which never does pays nothing for it, and whichever copy it loads is found.
import { createRequire } from 'node:module';
import type { DiscordJs } from './library.js';

/** The main module of discord.js 14, in whichever folder: an alias gives it another name than `discord.js`. */
const mainModule = /[\\/]src[\\/]index\.js$/;

/**
 * Calls back with each copy of discord.js right after it was evaluated, before the bot's code goes on. An `import` of it comes
 * by here too, because discord.js is a CommonJS package. `require.extensions` is the one door that node has for this in every
 * version from 20 on, and the one that loaders such as ts-node and tsx use.
 */
export function onDiscordJsLoad(callback: (library: DiscordJs, file: string) => void): void {
	const { extensions } = createRequire(import.meta.url);
	const load = extensions['.js'];
	if (!load) return;
	extensions['.js'] = (module, file) => {
		load(module, file);
		if (mainModule.test(file) && isDiscordJs(module.exports)) callback(module.exports, file);
	};
}

/** Looks without touching: the exports of a stranger may be getters that do things. */
function isDiscordJs(exports: unknown): exports is DiscordJs {
	if (typeof exports !== 'object' || exports === null) return false;
	return ['ShardClientUtil', 'DefaultRestOptions', 'version'].every((name) => Object.hasOwn(exports, name));
}
