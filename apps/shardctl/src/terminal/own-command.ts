// How a user runs this command line again: what the hints that it prints begin with.
import { relative } from 'node:path';

/**
 * `npx shardctl` for a package in `node_modules`, `shardctl` for one on the PATH, `node apps/shardctl/bin/shardctl.js` in a clone.
 * `script` is the path that node was started with.
 */
export function ownCommand({ script = '', cwd }: { script: string | undefined; cwd: string }): string {
	if (/[\\/]node_modules[\\/]/.test(script)) return 'npx shardctl';
	if (!/\.[cm]?js$/.test(script)) return 'shardctl';
	const path = relative(cwd, script);
	return `node ${path.startsWith('..') ? script : path}`;
}
