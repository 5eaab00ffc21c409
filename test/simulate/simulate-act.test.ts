// `start --simulate` with a bot that has its own token, and a user who interacts with it from another terminal.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';

const bot = fileURLToPath(new URL('fixtures/shop-bot.cjs', import.meta.url));

it.each(['direct', 'resident'] as const)(
	'A1: a bot that logs in with its own token is used by command, button, form and message (%s)',
	async (gateway) => {
		const cli = cliSandbox();
		const run = cli.run(['start', bot, '--simulate', '8', '--shards', '2', '--name', 'shop', '--gateway', gateway]);
		await run.message(/^fleet ready/);
		const simulate = (...args: string[]) => cli.output(['simulate', ...args]);

		const record = join(cli.stateDir, 'shop.simulator');
		expect(statSync(record).mode & 0o777).toBe(0o600);

		// The bot registers its command once it is ready.
		const ordered = await waitFor('the command', async () => {
			const { code, stdout } = await simulate('command', 'order', 'what=tea');
			return code === 0 && stdout.includes('tea, ') ? stdout : undefined;
		});
		expect(ordered).toMatch(/^the bot answered after \d+ ms: tea, \w+\?\n {2}yes {2}Yes\n$/);
		expect(await simulate('press', 'Yes')).toMatchObject({
			code: 0,
			stdout: expect.stringMatching(/^the bot opened the form "Address" after \d+ ms\n {2}name {2}Name\n$/),
		});
		// Control characters for a terminal are not printed.
		expect((await simulate('submit', 'name=Ada')).stdout).toMatch(/^the bot answered after \d+ ms: sent to Ada�\[2J\n$/);
		expect(await simulate('say', 'good morning', '--channel', 'general')).toMatchObject({
			code: 0,
			stdout: expect.stringMatching(/^sent message \d+\n$/),
		});
		await waitFor('the message', () => run.stdout().includes('heard good morning'));

		expect(await simulate('press', 'nope')).toMatchObject({
			code: 2,
			stderr: expect.stringContaining('no message of the bot has a component "nope"'),
		});

		// In resident mode its workers connect to the gateway processes, so they can be replaced; in direct mode they cannot.
		const deployed = await cli.output(['deploy', '--name', 'shop']);
		const outcome = { direct: [2, 'start the fleet with gateway "resident"'], resident: [0, 'deployed 2 workers'] } as const;
		expect(deployed.code).toBe(outcome[gateway][0]);
		expect(deployed.stderr).toContain(outcome[gateway][1]);

		// Without the token of the record, the control API rejects requests.
		const { url } = run.json().find(({ event }) => event === 'simulator:ready') as { url: string };
		expect(await simulate('say', 'hi', '--url', url)).toMatchObject({
			code: 2,
			stderr: expect.stringContaining('control token'),
		});

		run.process.kill('SIGTERM');
		expect(await run.exit).toBe(0);
		expect(await simulate('say', 'hi')).toMatchObject({
			code: 3,
			stderr: expect.stringContaining('start one with "shardctl start --simulate"'),
		});
	},
);

it('waits for a deferred reply or update, whichever request it follows', async () => {
	const cli = cliSandbox();
	const slow = fileURLToPath(new URL('fixtures/slow-bot.cjs', import.meta.url));
	const run = cli.run(['start', slow, '--simulate', '2', '--shards', '1', '--name', 'slow']);
	await run.message(/^fleet ready/);
	const answer = async (...args: string[]) => (await cli.output(['simulate', ...args])).stdout;
	expect(await answer('command', 'edit')).toMatch(/answered after \d+ ms: edited\n {2}update {2}Update\n$/);
	expect(await answer('press', 'update')).toMatch(/answered after \d+ ms: updated\n/);
	expect(await answer('command', 'follow-up')).toMatch(/answered after \d+ ms: followed\n/);
	expect(await answer('command', 'delete')).toBe('the bot deleted its answer\n');
	expect(await answer('command', 'never', '--wait', '200ms')).toMatch(
		/^the bot announced an answer after \d+ ms, which has not followed yet \(see --wait\)\n$/,
	);
	run.process.kill('SIGTERM');
	expect(await run.exit).toBe(0);
});

it('connects to a simulator at an address', async () => {
	const simulator = await createSimulator({ guilds: 2 });
	onTestFinished(() => simulator.stop());
	const { code, stdout } = await cliSandbox().output(['simulate', 'say', 'hi', '--url', simulator.url, '--json']);
	expect({ code, id: (JSON.parse(stdout) as { id: string }).id }).toEqual({ code: 0, id: expect.stringMatching(/^\d+$/) });
	const unanswered = await cliSandbox().output(['simulate', 'command', 'ping', '--url', simulator.url, '--wait', '100ms']);
	expect(unanswered).toMatchObject({ code: 0, stdout: 'the bot did not answer\n' });
});
