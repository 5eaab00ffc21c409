import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ShardctlError } from '@shardctl/core';
import { tempDir } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { foreignProgram, programFile } from './foreign-program.js';
import { resolveManagerOptions } from './manager-options.js';

/** A folder with programs in `bin`, which is the PATH, and other files. */
function folder(...files: string[]) {
	const cwd = tempDir();
	for (const file of files) {
		mkdirSync(dirname(join(cwd, file)), { recursive: true });
		writeFileSync(join(cwd, file), '');
		if (/bin\//.test(file) || file === 'my-bot') chmodSync(join(cwd, file), 0o755);
	}
	return { cwd, env: { PATH: join(cwd, 'bin') } };
}
const messageOf = (found: unknown) => (found instanceof ShardctlError ? `${found.code}: ${found.message}` : found);

describe('what runs a bot file', () => {
	it.each([
		['bot.js', undefined],
		['bot', undefined],
		['bot.ts', undefined],
		['bot.js', 'node'],
		['bot.py', '/usr/local/bin/node'],
	])('is node for %s with the interpreter %s', (file, interpreter) => {
		expect(foreignProgram(file, { interpreter, ...folder() })).toBeNull();
	});

	it('is python3 of the PATH for a .py file', () => {
		const { cwd, env } = folder('bin/python3');
		const path = join(cwd, 'bin/python3');
		expect(foreignProgram('bot.py', { interpreter: undefined, cwd, env })).toEqual({
			interpreter: path,
			interpreterArgs: [],
			label: `python3 (${path})`,
			python: true,
		});
	});

	it('is that of the virtual environment beside the file, unless another is active or named', () => {
		const { cwd, env } = folder('bin/python3', 'sub/.venv/bin/python', 'sub/.venv/pyvenv.cfg');
		const of = (more: object, interpreter?: string) =>
			foreignProgram('sub/bot.py', { interpreter, cwd, env: { ...env, ...more } });
		expect(of({})).toMatchObject({ interpreter: join(cwd, 'sub/.venv/bin/python') });
		expect(of({ VIRTUAL_ENV: '/x' })).toMatchObject({ interpreter: join(cwd, 'bin/python3') });
		expect(of({}, 'python3')).toMatchObject({ interpreter: join(cwd, 'bin/python3') });
	});

	it.each([
		['poetry run python', 'poetry', ['run', 'python'], false],
		['python3 -X dev -W "ignore::X: y"', 'python3', ['-X', 'dev', '-W', 'ignore::X: y'], true],
		['pypy3.10', 'pypy3.10', [], true],
	])('is the command %j with its arguments', (interpreter, program, args, python) => {
		const { cwd, env } = folder(`bin/${program}`);
		expect(foreignProgram('bot.py', { interpreter, cwd, env })).toMatchObject({
			interpreter: join(cwd, 'bin', program),
			interpreterArgs: args,
			python,
		});
	});

	it.each([
		[undefined, /"python3" cannot run bot\.py: no such program is in the PATH\. Install it, or name another with --interpreter/],
		['./none', /"\.\/none" cannot run bot\.py: no such program is there/],
		['', /an empty interpreter cannot run/],
		['python -I', /with -I Python ignores PYTHONPATH or sitecustomize/],
		['python -uE', /with -uE Python ignores/],
		['python -sS', /with -sS Python ignores/],
	])('that is %s is refused, and the remedy named', (interpreter, problem) => {
		expect(messageOf(foreignProgram('bot.py', { interpreter, ...folder('bin/python') }))).toMatch(problem);
	});

	it.each(['bot.rb', 'bot.go', 'Bot.java'])('of %s has to be named', (file) => {
		expect(messageOf(foreignProgram(file, { interpreter: undefined, ...folder() }))).toMatch(
			/^BOT_FILE_INVALID: .* is no JavaScript, TypeScript or Python: name what runs it, as in --interpreter ruby/,
		);
	});
});

it('finds a program in the PATH or at its path, and says why one cannot be run', () => {
	const { cwd, env } = folder('bin/tool', 'my-bot', 'plain', 'd/x');
	const find = (file: string) => messageOf(programFile(file, { cwd, env }));
	expect(find('tool')).toBe(join(cwd, 'bin/tool'));
	expect(find('./my-bot')).toBe(join(cwd, 'my-bot'));
	expect(find('my-bot')).toMatch(/the program my-bot is not in the PATH: give its path, \.\/my-bot$/);
	expect(find('./plain')).toMatch(/is not executable: chmod \+x it, or name what runs it with --interpreter$/);
	expect(find('none')).toMatch(/is not in the PATH: install it, or give its path$/);
	expect(find('./none')).toMatch(/does not exist: check the path$/);
	expect(find('./d')).toMatch(/is a directory/);
	expect(find('')).toMatch(/no program was named/);
});

describe('the options of a bot that is not for Node.js', () => {
	const resolve = (options: object) => {
		const { cwd, env } = folder('bin/python3', 'bot.py');
		return resolveManagerOptions('bot.py', { token: 'x', cwd, ...options }, env);
	};

	it('make gateway processes the default', () => {
		expect(resolve({}).gateway).toMatchObject({ shardsPerGateway: 16 });
		expect(resolve({ gateway: { mode: 'resident', shardsPerGateway: 2 } }).gateway).toMatchObject({ shardsPerGateway: 2 });
	});

	it.each([
		[{ gateway: 'direct' }, /gateway: cannot be "direct" with bot\.py, which python3 \(.+\) runs: .* Leave it out \(--gateway\)/],
		[{ workerMode: 'thread' }, /workerMode: cannot be "thread" with bot\.py/],
		[{ gateway: { mode: 'direct' } }, /gateway: cannot be "direct"/],
		[{ execArgv: ['--inspect'] }, /execArgv: are arguments for node, which does not run bot\.py/],
	])('cannot be %j', (options, problem) => {
		expect(() => resolve(options)).toThrow(expect.objectContaining({ message: expect.stringMatching(problem) }));
	});
});
