import { readFileSync, writeFileSync } from 'node:fs';
import { configFileOptions, managerOptionTable, type OptionRow, optionFlags, optionPartTable } from '@shardctl/manager/options';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { buildProgram } from '../src/program.js';
import type { ShardctlConfig } from '../src/start/config-type.js';
import { resolveStart } from '../src/start/resolve-start.js';
import { configKeys } from '../src/start/start-options.js';
import { commandReference } from './command-reference.js';

const program = buildProgram();
const readme = new URL('../README.md', import.meta.url);
const section = /(?<=<!-- commands -->\n)[\s\S]*(?=<!-- end of commands -->)/;

/** The formatter aligns tables, which is irrelevant here. */
function unaligned(markdown: string): string {
	return markdown.replace(/ +\|/g, ' |').replace(/-{3,}/g, '---').replace(/\|---/g, '| ---').replace(/---\|/g, '--- |');
}

describe("the README's reference", () => {
	it('equals the tree of commands; UPDATE_README=1 rewrites it', () => {
		const wanted = `\n${commandReference(program)}\n`;
		if (process.env.UPDATE_README) writeFileSync(readme, readFileSync(readme, 'utf8').replace(section, wanted));
		expect(unaligned(section.exec(readFileSync(readme, 'utf8'))?.[0] ?? '')).toBe(unaligned(wanted));
	});
});

describe('every option', () => {
	it('of a command below another has one too', () => {
		const nested = program.commands.flatMap(({ commands }) => commands);
		expect(nested.map((command) => `${command.parent?.name()} ${command.name()}`)).toEqual([
			'queue dead',
			'queue remove',
			'simulate say',
			'simulate command',
			'simulate press',
			'simulate submit',
		]);
		for (const command of nested) {
			for (const { long, envVar } of command.options) {
				const name = long?.slice(2).replaceAll('-', '_').toUpperCase();
				expect(envVar).toMatch(new RegExp(`^SHARDCTL_(${command.parent?.name().toUpperCase()}_)?${name}$`));
			}
		}
	});

	it('has an environment variable that follows from its name', () => {
		for (const command of program.commands) {
			for (const { long, envVar } of command.options) {
				// Options whose meaning differs from the option of the same name of start.
				const own =
					command.name() === 'simulate' ||
					(command.name() === 'health' && long === '--wait') ||
					(command.name() === 'restart' && long === '--rest') ||
					(command.name() === 'reshard' && long === '--shards') ||
					(command.name() === 'stop' && long === '--all');
				// SHARDCTL_NODE is the name of the node that start runs, on a machine whose commands mean the whole cluster.
				const which = long === '--node' && command.name() !== 'start';
				const scope = which ? 'ON_' : own ? `${command.name().toUpperCase()}_` : '';
				expect(envVar).toBe(`SHARDCTL_${scope}${long?.slice(2).replaceAll('-', '_').toUpperCase()}`);
			}
		}
	});

	it('of start has a key in the config file', () => {
		const start = program.commands.find((command) => command.name() === 'start');
		expect([...configKeys().keys()]).toEqual(start?.options.map((option) => option.attributeName()));
	});
});

describe('every option of createShardManager', () => {
	const rows = Object.entries<OptionRow>(managerOptionTable);
	/** Whether a config file may have the option under its own name. */
	const readable = (name: string) => {
		try {
			const config = { path: '/c.json', source: '', values: { [name]: 5 } };
			return name in resolveStart({ file: 'bot.js', args: [], given: {}, config }).manager;
		} catch {
			return false;
		}
	};

	it.each(rows)('%s has a flag, an environment variable and a key in the config file, or is marked', (name, row) => {
		const start = program.commands.find((command) => command.name() === 'start');
		const flag = optionFlags().find(({ sets }) => sets === name);
		const declared = start?.options.find(({ flags }) => flags === flag?.flags);
		const twin = declared?.envVar?.match(/^SHARDCTL_[A-Z_]+$/)?.[0];
		const key = configKeys().get(declared?.attributeName() ?? '')?.sets;
		const places = {
			flag: flag && declared ? 'flag' : undefined,
			environment: twin === undefined ? undefined : 'twin',
			keyOfFlag: key === name ? 'key' : undefined,
			ownKey: readable(name),
		};
		const none = { flag: undefined, environment: undefined, keyOfFlag: undefined };
		expect(places).toEqual(
			{
				flag: { flag: 'flag', environment: 'twin', keyOfFlag: 'key', ownKey: true },
				'config file': { ...none, ownKey: true },
				code: { ...none, ownKey: false },
			}[row.settable],
		);
		expect(row.doc).not.toBe('');
		expect(row.default !== undefined || row.defaultText !== undefined, 'a default').toBe(true);
	});

	it('has its parts set by their flags, each with an environment variable and a key', () => {
		const sets = [...configKeys().values()].map((each) => each.sets);
		expect(sets).toEqual(expect.arrayContaining(Object.keys(optionPartTable)));
		expect(new Set(sets.filter((each) => each !== undefined)).size).toBe(optionFlags().length);
		expect(configFileOptions()).not.toContain('logger');
	});

	it('has a type in the config file, by its own name and by that of its flag', () => {
		expectTypeOf<ShardctlConfig>().toHaveProperty('readyTimeout').toEqualTypeOf<number | string | undefined>();
		expectTypeOf<ShardctlConfig>().toHaveProperty('readyTimeoutMs').toEqualTypeOf<number | undefined>();
		expectTypeOf<ShardctlConfig>().toHaveProperty('shards').toEqualTypeOf<number | 'auto' | undefined>();
		expectTypeOf<ShardctlConfig>().toHaveProperty('maxMemory').toEqualTypeOf<number | string | undefined>();
		expectTypeOf<ShardctlConfig>().toHaveProperty('gatewaySessions').toEqualTypeOf<number | 'auto' | undefined>();
		expectTypeOf<ShardctlConfig>().toHaveProperty('port').toEqualTypeOf<number | undefined>();
		expectTypeOf<ShardctlConfig>().toHaveProperty('allowEval').toEqualTypeOf<boolean | undefined>();
		expectTypeOf<ShardctlConfig>().not.toHaveProperty('logger');
		expectTypeOf<ShardctlConfig>().not.toHaveProperty('clock');
	});
});
