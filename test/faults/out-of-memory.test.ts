// The kernel's out-of-memory killer, in a control group of the test's own: a worker that it kills is replaced and named, and a manager that
// it kills leaves nothing behind that keeps the next one from starting.

import { createSimulator } from '@shardctl/simulator';
import { canLimitMemory, cliSandbox, memoryGroup, memoryLimitNotice, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { tinyBot } from './fleet.js';

const megabyte = 2 ** 20;

async function fleetInGroup(name: string) {
	const simulator = await createSimulator({ guilds: 4, shards: 2, maxConcurrency: 16 });
	onTestFinished(() => simulator.stop());
	const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url };
	const group = memoryGroup();
	const cli = cliSandbox();
	const start = ['start', tinyBot, '--name', name, '--log-format', 'json'];
	const run = cli.run(start, { env, command: [...group.enter, process.execPath, cli.program] });
	await run.message(/^fleet ready/);
	return { simulator, env, group, cli, run, start };
}

it.runIf(canLimitMemory)(`a worker that the kernel kills for memory is named and replaced${memoryLimitNotice}`, async () => {
	const { cli, run, group } = await fleetInGroup('grows');
	group.setLimit(group.usedBytes() + 400 * megabyte);
	const grow = 'globalThis.hog = []; setInterval(() => hog.push(Buffer.alloc(16 * 2 ** 20, 1)), 5); 1';
	expect(await cli.output(['eval', grow, '--shard', '0', '--name', 'grows'])).toMatchObject({ code: 0 });
	const { msg } = await run.message(/out-of-memory killer/);
	expect(msg).toMatch(/^worker 0 \(shard 0\) exited: process \d+ was killed by the kernel's out-of-memory killer \(SIGKILL/);
	await waitFor('the fleet', async () => (await cli.output(['health', '--name', 'grows'])).code === 0);
	expect(await cli.output(['stop', '--name', 'grows'])).toMatchObject({ code: 0 });
	expect(await run.exit).toBe(0);
	expect(cli.survivors()).toEqual([]);
});

it.runIf(canLimitMemory)(
	`a manager that the kernel kills for memory does not keep its name, and its workers end${memoryLimitNotice}`,
	async () => {
		const { simulator, env, cli, run, group, start } = await fleetInGroup('large');
		// The manager alone is limited.
		for (const pid of cli.survivors().filter((pid) => pid !== run.pid)) group.release(pid);
		group.setLimit(group.usedBytes() + 40 * megabyte);
		await cli.output(['eval', "'x'.repeat(60e6)", '--name', 'large']);
		expect(await run.exit).toBe('SIGKILL');
		await waitFor('the end of its workers', () => cli.survivors().length === 0);
		await waitFor('their logout', () => simulator.state().sessions.length === 0);
		expect((await cli.output(['list'])).stdout).toMatch(/large.*killed/);
		const next = cli.run(start, { env });
		await next.message(/^fleet ready/);
		expect(await cli.output(['stop', '--name', 'large'])).toMatchObject({ code: 0 });
		expect(await next.exit).toBe(0);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
	},
);
