// The text of a new config file. Pure.

export type ConfigFormat = 'ts' | 'js' | 'json';

export interface ConfigAnswers {
	file: string;
	format: ConfigFormat;
	shards: number | 'auto';
	shardsPerWorker: number | 'auto';
	gateway: 'direct' | 'resident';
	/** Such as `512MB`; none without. */
	maxMemory?: string | undefined;
}

/** The answers as a config file; formats with comments also show the other common options. */
export function configText({ file, format, shards, shardsPerWorker, gateway, maxMemory }: ConfigAnswers): string {
	const values = { file, shards, shardsPerWorker, gateway, maxMemory };
	if (format === 'json') return `${JSON.stringify(values, null, 2)}\n`;
	const body = `{
	file: ${quoted(file)},
	/** Total number of shards; 'auto' is what Discord recommends. */
	shards: ${quoted(shards)},
	/** Shards per worker process; 'auto' spreads them over the CPU cores. */
	shardsPerWorker: ${quoted(shardsPerWorker)},
	/** 'direct': workers hold the sessions with Discord. 'resident': gateway processes do, and workers restart without an IDENTIFY. */
	gateway: ${quoted(gateway)},
	${maxMemory === undefined ? "// maxMemory: '512MB'," : `/** A worker that uses more is replaced. */\n	maxMemory: ${quoted(maxMemory)},`}
	// readyTimeout: '60s',
	${/\.pyw?$/i.test(file) ? "// interpreter: '.venv/bin/python'," : "// execArgv: ['--max-old-space-size=512'],"}
}`;
	return format === 'ts'
		? `import type { ShardctlConfig } from 'shardctl';\n\nexport default ${body} satisfies ShardctlConfig;\n`
		: `/** @type {import('shardctl').ShardctlConfig} */\nexport default ${body};\n`;
}

function quoted(value: string | number): string {
	return typeof value === 'number' ? String(value) : `'${value.replace(/[\\']/g, '\\$&')}'`;
}
