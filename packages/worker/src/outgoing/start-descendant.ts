// Runs in each node process and thread that the bot of a worker starts, before its first line.
import { writeSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type { DescendantConfig, Launcher } from './descendant-config.js';
import { isApiHost, isGatewayHost } from './discord-hosts.js';
import { detourTls } from './tls-detour.js';

export function startDescendant(config: DescendantConfig): void {
	const { simulator, launcher } = config;
	const url = simulator === undefined ? undefined : new URL(simulator);
	detourTls((host) => {
		if (!isGatewayHost(host)) return isApiHost(host) ? url : undefined;
		if (launcher) refuse(launcher);
		return url;
	});
}

/** Reports the login and ends this process. The manager finds the mark in the line, whatever the processes in between do with it. */
function refuse({ file, cwd, mark }: Launcher): void {
	// `node .` names a folder.
	const script = process.mainModule?.filename ?? process.argv[1];
	const started = script === undefined ? undefined : relative(cwd, resolve(script));
	const what = isMainThread ? 'a process of its own' : 'a thread of its own';
	const line =
		`${file} starts ${started ?? 'a script'} in ${what}, which logs in to Discord, and under shardctl each worker would start one; ` +
		`start that file instead${started === undefined ? '' : `: shardctl start ${/^[./\\]/.test(started) ? started : `./${started}`}`}`;
	try {
		writeSync(2, `${mark} ${line}\n`);
	} catch {
		// It has no standard error; it must not log in all the same.
	}
	process.exit(1);
}
