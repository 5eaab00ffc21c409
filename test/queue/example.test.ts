// The example of a worker as a person runs it: the sessions in one terminal, workers in another, and the figures in a third.
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithRedis, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { examplePath } from '../e2e/example-path.js';

const worker = examplePath('queue/worker.js');

describeWithRedis('the example of a worker of the queue', () => {
	async function setUp() {
		const server = await redisServer();
		onTestFinished(() => server.close());
		const simulator = await createSimulator({ maxConcurrency: 16, guilds: 12, shards: 2 });
		onTestFinished(() => simulator.stop());
		return { simulator, env: { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url, SHARDCTL_QUEUE: server.url } };
	}

	it('runs beside a fleet that only writes, and is seen from a third terminal', async () => {
		const { simulator, env } = await setUp();
		const cli = cliSandbox();
		const fleet = cli.run(['start', '--gateway', 'queue', '--name', 'sessions'], { env });
		await fleet.message(/^fleet ready: 2 shards/);
		const bot = cli.run([], { env, command: [process.execPath, worker] });
		await waitFor('the sessions', () => simulator.log.entries({ type: 'identify' }).length === 2);
		await waitFor('an answer to a command', () => {
			simulator.emit('INTERACTION_CREATE', { name: 'ping' });
			return simulator.state().interactions.answered > 0;
		});
		const { stdout } = await cli.output(['queue', '--json', '--name', 'sessions'], { env });
		expect(JSON.parse(stdout)).toMatchObject({ connected: true, shards: 2, groups: [{ group: 'commands', members: 1 }] });
		bot.process.kill('SIGTERM');
		expect(await bot.exit).toBe(0);
		fleet.process.kill('SIGTERM');
		expect(await fleet.exit).toBe(0);
		expect(cli.survivors()).toEqual([]);
	});

	it('runs under shardctl, which scales it', async () => {
		const { simulator, env } = await setUp();
		const cli = cliSandbox();
		const fleet = cli.run(['start', worker, '--gateway', 'queue', '--name', 'all'], { env });
		await fleet.message(/^fleet ready: 2 shards in 1 worker/);
		const { stderr } = await cli.output(['scale', '2', '--name', 'all'], { env });
		expect(stderr).toBe('scaled all from 1 to 2 workers\n');
		// One that waits while the group divides its partitions again expires.
		await waitFor('an answer', () => {
			simulator.emit('INTERACTION_CREATE', { name: 'ping' });
			return simulator.state().interactions.answered > 0;
		});
		fleet.process.kill('SIGTERM');
		expect(await fleet.exit).toBe(0);
		expect(cli.survivors()).toEqual([]);
	});
});
