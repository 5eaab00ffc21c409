// The text of a new config file. Pure.

export type ConfigFormat = 'ts' | 'js' | 'json';

export interface ConfigAnswers {
	file: string;
	format: ConfigFormat;
	shards: number | 'auto';
	shardsPerWorker: number | 'auto';
}

/** A file that says what was answered, and, where comments are possible, what else there is to say. */
export function configText({ file, format, shards, shardsPerWorker }: ConfigAnswers): string {
	const values = { file, shards, shardsPerWorker };
	if (format === 'json') return `${JSON.stringify(values, null, 2)}\n`;
	const body = `{
	file: ${quoted(file)},
	/** How many shards the bot has in all; 'auto' is what Discord recommends. */
	shards: ${quoted(shards)},
	/** How many shards share a process; 'auto' spreads them over the cores. */
	shardsPerWorker: ${quoted(shardsPerWorker)},
	// maxMemory: '512MB',
	// readyTimeout: '60s',
	// execArgv: ['--max-old-space-size=512'],
}`;
	return format === 'ts'
		? `import type { ShardctlConfig } from 'shardctl';\n\nexport default ${body} satisfies ShardctlConfig;\n`
		: `/** @type {import('shardctl').ShardctlConfig} */\nexport default ${body};\n`;
}

function quoted(value: string | number): string {
	return typeof value === 'number' ? String(value) : `'${value.replace(/[\\']/g, '\\$&')}'`;
}
