import { expect, it } from 'vitest';
import { configText } from './config-text.js';

const answers = { file: "it's.js", shards: 4, shardsPerWorker: 'auto', gateway: 'resident' } as const;

it('writes JSON', () => {
	expect(JSON.parse(configText({ ...answers, format: 'json' }))).toEqual(answers);
});

it('writes a memory limit only where one was given', () => {
	expect(JSON.parse(configText({ ...answers, maxMemory: '1GB', format: 'json' }))).toEqual({ ...answers, maxMemory: '1GB' });
	expect(configText({ ...answers, maxMemory: '1GB', format: 'js' })).toMatch(/\n\tmaxMemory: '1GB',\n/);
	expect(configText({ ...answers, format: 'js' })).toMatch(/\n\tgateway: 'resident',\n\t\/\/ maxMemory: '512MB',\n/);
});

it.each([
	['js', /^\/\*\* @type .*\nexport default \{\n\tfile: 'it\\'s\.js',[\s\S]*shards: 4,[\s\S]*\n\};\n$/],
	['ts', /^import type [\s\S]*shardsPerWorker: 'auto',[\s\S]*\n\} satisfies ShardctlConfig;\n$/],
] as const)('writes %s', (format, pattern) => {
	expect(configText({ ...answers, format })).toMatch(pattern);
});
