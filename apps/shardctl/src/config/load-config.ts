// Reads a config file of any format into an object; its contents are validated elsewhere.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { messageOf, ShardctlError } from '@shardctl/core';
import { lineAt } from './locate.js';

export interface LoadedConfig {
	path: string;
	/** The text, to find the line of a mistake in. */
	source: string;
	values: Record<string, unknown>;
}

/** Throws `OPTIONS_INVALID` with file and line when it cannot be read. */
export async function loadConfig(path: string): Promise<LoadedConfig> {
	const source = readFileSync(path, 'utf8');
	const values = path.endsWith('.json') ? parseJson(path, source) : await importConfig(path);
	if (typeof values === 'object' && values !== null && !Array.isArray(values)) {
		return { path, source, values: values as Record<string, unknown> };
	}
	throw new ShardctlError(
		'OPTIONS_INVALID',
		`${basename(path)} must contain an object of options, got ${Array.isArray(values) ? 'an array' : String(values)}`,
	);
}

function parseJson(path: string, source: string): unknown {
	try {
		return JSON.parse(source);
	} catch (cause) {
		const message = messageOf(cause);
		const position = /position (\d+)/.exec(message)?.[1];
		const line = position === undefined ? lineCount(source) : lineAt(source, Number(position));
		const what = message.replace(/ in JSON.*$/s, '').replace(/, ?"[\s\S]*$/, '');
		throw new ShardctlError('OPTIONS_INVALID', `${basename(path)}:${line}: not JSON: ${what}`, { cause });
	}
}

async function importConfig(path: string): Promise<unknown> {
	const { createJiti } = await import('jiti');
	try {
		return await createJiti(import.meta.url, { moduleCache: false, fsCache: false }).import(path, { default: true });
	} catch (cause) {
		const message = messageOf(cause).split('\n')[0] ?? '';
		const line = lineOfFailure(path, cause);
		throw new ShardctlError('OPTIONS_INVALID', `${basename(path)}${line === undefined ? '' : `:${line}`}: ${message}`, { cause });
	}
}

/** Where the file itself failed: a syntax error says `path:line:column`, an error that it throws has the path in its stack. */
function lineOfFailure(path: string, error: unknown): string | undefined {
	const text = error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : '';
	const at = text.indexOf(path);
	return at === -1 ? undefined : (/^:(\d+)/.exec(text.slice(at + path.length))?.[1] ?? /\((\d+):\d+\)/.exec(text)?.[1]);
}

function lineCount(source: string): number {
	return source.trimEnd().split('\n').length;
}
