// How real processes end, or refuse to, and what is reported. Each replacement must start after the end of its
// predecessor and of all descendants.
import { isAlive, waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { defaultRestartPolicy } from '../src/index.js';
import { event, realChild, started } from './real-child.js';

const trapSigterm = "process.on('SIGTERM', () => {});";
const ignoreShutdown = "process.removeAllListeners('message'); process.removeAllListeners('disconnect');";
const spawnGrandchild = `
	const grandchild = require('node:child_process').spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); process.send?.(1); setInterval(() => {}, 1e6)"],
		{ stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
	grandchild.once('message', () => process.send({ grandchild: grandchild.pid }));
`;

async function grandchildOf({ messages }: { messages: unknown[] }): Promise<number> {
	const reported = () => (messages as { grandchild?: number }[]).find(({ grandchild }) => grandchild !== undefined);
	return (await waitFor('the process id of the grandchild', reported)).grandchild as number;
}

describe('stopping', () => {
	it('kills a process that ignores both the request and a SIGTERM, and waits for its end', async () => {
		const { child, exits, run, messages } = await started({ shutdownGraceMs: 50, killAfterMs: 50 });
		run(`${trapSigterm} ${ignoreShutdown} process.send({ trapped: true })`);
		const pid = child.pid as number;
		await waitFor('the trap', () => messages.length > 0);
		await child.stop();
		expect(isAlive(pid)).toBe(false);
		expect(exits).toMatchObject([{ reason: 'requested', signal: 'SIGKILL', code: null }]);
	});

	it('ends the descendants of a process, also when it exits by itself', async () => {
		const { child, exits, run, messages } = await started();
		run(`${spawnGrandchild} grandchild.unref(); grandchild.channel.unref();`);
		const grandchild = await grandchildOf({ messages });
		expect(isAlive(grandchild)).toBe(true);
		await child.stop();
		expect(isAlive(grandchild)).toBe(false);
		expect(exits).toMatchObject([{ reason: 'requested', code: 0 }]);
	});

	it('is shortened to the end by two more calls, against a process that traps everything', async () => {
		const { child, run, messages, exits } = await started({ shutdownGraceMs: 1e6, killAfterMs: 1e6 });
		run(`${trapSigterm} ${ignoreShutdown} process.send({ trapped: true })`);
		await waitFor('the trap', () => messages.length > 0);
		const stopped = child.stop();
		void child.stop({ graceMs: 0 });
		void child.stop({ graceMs: 0 });
		await stopped;
		expect(exits).toMatchObject([{ reason: 'requested', signal: 'SIGKILL' }]);
	});

	it('works on a process that is still starting, from its first moment', async () => {
		const { child, exits } = realChild({ shutdownGraceMs: 1e6 });
		child.start();
		expect(child.state).toBe('starting');
		await child.stop({ graceMs: 0 });
		expect(exits).toMatchObject([{ reason: 'requested', wasReady: false }]);
	});
});

describe('replacing', () => {
	it('starts the successor only after the old process is gone, though it traps SIGTERM (discord.js #7: four live processes for one shard)', async () => {
		const { child, pids, run, messages } = await started({ shutdownGraceMs: 20, killAfterMs: 20 });
		const aliveAtSpawn: boolean[][] = [];
		child.on('spawned', () => aliveAtSpawn.push(pids.map(isAlive)));
		for (let round = 1; round <= 3; round++) {
			run(`${trapSigterm} ${ignoreShutdown} process.send({ trapped: true })`);
			await waitFor('the trap', () => messages.length === round);
			expect(await child.restart('again')).toBe(true);
		}
		expect(aliveAtSpawn).toEqual([
			[false, true],
			[false, false, true],
			[false, false, false, true],
		]);
	});

	it('starts the successor only after all descendants of the old process are gone', async () => {
		const { child, process: current, messages, run } = await started({ policy: defaultRestartPolicy });
		run(spawnGrandchild);
		const grandchild = await grandchildOf({ messages });
		let aliveAtSpawn: boolean | undefined;
		child.on('spawned', () => {
			aliveAtSpawn = isAlive(grandchild);
		});
		current().signal('SIGKILL');
		await event(child, 'ready');
		expect(aliveAtSpawn).toBe(false);
	});

	it('stops waiting for the output of a process whose pipes are held by a descendant outside its group', async () => {
		const { child, exits, messages, run, process: current } = await started({ policy: defaultRestartPolicy });
		run(spawnGrandchild.replace('{ stdio:', '{ detached: true, stdio:'));
		const stranger = await grandchildOf({ messages });
		run("process.stdout.write('last words\\n'); process.kill(process.pid, 'SIGKILL')");
		await event(child, 'ready');
		expect(child.epoch).toBe(2);
		expect(current().pid).toBe(child.pid);
		expect(exits).toHaveLength(1);
		expect(child.recentLogs().map(({ line }) => line)).toEqual(['last words']);
		process.kill(stranger, 'SIGKILL');
	});
});

describe('the reported end of a process', () => {
	it.each([
		['exit code 0, unasked', 'process.exit(0)', { reason: 'clean', code: 0 }],
		['exit code 3', 'process.exit(3)', { reason: 'exit-code', code: 3 }],
		['SIGKILL from somewhere else', "process.kill(process.pid, 'SIGKILL')", { reason: 'signal', signal: 'SIGKILL' }],
		['SIGTERM from somewhere else', "process.kill(process.pid, 'SIGTERM')", { reason: 'signal', signal: 'SIGTERM' }],
		[
			'an uncaught exception',
			"throw new TypeError('boom')",
			{ reason: 'uncaught-exception', code: 1, message: expect.stringContaining('TypeError: boom') },
		],
		[
			'real-03: an uncaught exception after another error was logged',
			"console.error(new Error('harmless')); throw new TypeError('this is what ended the bot')",
			{
				reason: 'uncaught-exception',
				code: 1,
				message: expect.stringContaining('uncaught exception: TypeError: this is what ended'),
			},
		],
		[
			'real-03, blank: an error whose message has an empty line',
			"console.error(new Error('harmless')); throw new Error('the module \\\"sharp\\\" is not there\\n\\nPossible solutions:\\n- install it')",
			{ reason: 'uncaught-exception', code: 1, message: expect.stringContaining('Error: the module "sharp" is not there') },
		],
		[
			'an unhandled rejection',
			"Promise.reject(new RangeError('not handled'))",
			{ reason: 'uncaught-exception', code: 1, message: expect.stringContaining('RangeError: not handled') },
		],
		[
			'a module that is not there',
			"require('./no-such-module')",
			{ reason: 'uncaught-exception', code: 1, message: expect.stringContaining("Cannot find module './no-such-module'") },
		],
	])('%s', async (_what, script, expected) => {
		const { child, run } = await started();
		const exited = event(child, 'exited');
		run(script);
		expect(await exited).toMatchObject({ wasReady: true, ...expected });
	});

	it('the heap limit', async () => {
		const { child, run } = await started({ spec: { execArgv: ['--max-old-space-size=24'] } });
		const exited = event(child, 'exited');
		run('const hoard = []; for (;;) hoard.push(new Array(1000).fill({}))');
		const report = await exited;
		expect(report).toMatchObject({ reason: 'out-of-memory', message: expect.stringContaining('heap limit') });
		expect(report.stderrTail.join('\n')).toContain('JavaScript heap out of memory');
	});

	it('an exit while starting', async () => {
		const { child } = realChild({ doFirst: "process.stderr.write('bad token\\n'); process.exit(7)" });
		const exited = event(child, 'exited');
		child.start();
		expect(await exited).toMatchObject({
			reason: 'exit-code',
			code: 7,
			wasReady: false,
			readyForMs: 0,
			stderrTail: ['bad token'],
		});
	});

	it.each([
		['a working folder that is not there', { cwd: '/no/such/folder' }],
		['an environment that the system cannot take', { env: { HUGE: 'x'.repeat(4 * 2 ** 20) } }],
	])('a process that could not be started: %s', async (_what, spec) => {
		const { child } = realChild({ spec });
		const exited = event(child, 'exited');
		child.start();
		expect(await exited).toMatchObject({ reason: 'spawn-failed', pid: null, code: null, wasReady: false });
		expect(child.state).toBe('failed');
	});
});
