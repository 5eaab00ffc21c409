import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../src/program.js';
import { configKeys } from '../src/start/start-options.js';
import { commandReference } from './command-reference.js';

const program = buildProgram();
const readme = new URL('../README.md', import.meta.url);
const section = /(?<=<!-- commands -->\n)[\s\S]*(?=<!-- end of commands -->)/;

/** The formatter aligns tables, which says nothing. */
function unaligned(markdown: string): string {
	return markdown.replace(/ +\|/g, ' |').replace(/-{3,}/g, '---').replace(/\|---/g, '| ---').replace(/---\|/g, '--- |');
}

describe("the README's reference", () => {
	it('is what the tree of commands says; UPDATE_README=1 writes it anew', () => {
		const wanted = `\n${commandReference(program)}\n`;
		if (process.env.UPDATE_README) writeFileSync(readme, readFileSync(readme, 'utf8').replace(section, wanted));
		expect(unaligned(section.exec(readFileSync(readme, 'utf8'))?.[0] ?? '')).toBe(unaligned(wanted));
	});
});

describe('every option', () => {
	it('has a twin in the environment that follows from its name', () => {
		for (const command of program.commands) {
			for (const { long, envVar } of command.options) {
				const scope = command.name() === 'simulate' ? 'SIMULATE_' : '';
				expect(envVar).toBe(`SHARDCTL_${scope}${long?.slice(2).replaceAll('-', '_').toUpperCase()}`);
			}
		}
	});

	it('of start has a key in the config file', () => {
		const start = program.commands.find((command) => command.name() === 'start');
		expect([...configKeys().keys()]).toEqual(start?.options.map((option) => option.attributeName()));
	});
});
