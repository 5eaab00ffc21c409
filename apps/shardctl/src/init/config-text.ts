// The text of a new config file. Pure.

export type ConfigFormat = 'ts' | 'js' | 'json';

export interface ConfigAnswers {
	file: string;
	format: ConfigFormat;
	shards: number | 'auto';
	shardsPerWorker: number | 'auto';
}

/** The answers as a config file; formats with comments also show the other common options. */
export function configText({ file, format, shards, shardsPerWorker }: ConfigAnswers): string {
	const values = { file, shards, shardsPerWorker };
	if (format === 'json') return `${JSON.stringify(values, null, 2)}\n`;
	const body = `{
	file: ${quoted(file)},
	/** Total number of shards; 'auto' is what Discord recommends. */
	shards: ${quoted(shards)},
	/** Shards per worker process; 'auto' spreads them over the CPU cores. */
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
