// Finds the config file of a folder.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ShardctlError } from '@shardctl/core';

export const configNames = ['ts', 'mts', 'js', 'mjs', 'cjs', 'json'].map((ending) => `shardctl.config.${ending}`);

/** The path of the config file: the one named, else the one in the folder; undefined when there is none. */
export function findConfig(named: string | undefined, folder: string): string | undefined {
	if (named !== undefined) {
		const path = resolve(folder, named);
		if (existsSync(path)) return path;
		throw new ShardctlError(
			'OPTIONS_INVALID',
			`the config file ${path} does not exist: check --config, or write one with "shardctl init"`,
		);
	}
	return configNames.map((name) => join(folder, name)).find((path) => existsSync(path));
}
