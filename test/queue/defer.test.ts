// Interactions to which a real gateway process responds with a deferred response, on a strict simulated Discord: before any worker is there, and
// what the worker sends afterwards arrives.
import { type APIInteraction, Client, GatewayDispatchEvents, type ToEventProps } from '@discordjs/core';
import { REST } from '@discordjs/rest';
import { botKey } from '@shardctl/core';
import { connectQueue, type Queue } from '@shardctl/queue';
import { waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { GatewayProcess } from '../../packages/gateway/test/support/gateway-process.js';

interface Interaction {
	id: string;
	type: number;
	token: string;
	application_id: string;
}

describeWithRedis('deferred interactions', () => {
	let server: RedisServer;
	let gateway: GatewayProcess;

	beforeEach(async () => {
		server = await redisServer();
		const config = { queue: { redis: { url: server.url }, applicationId: '', keep: { bytes: 2 ** 28, ageMs: 600_000 } } };
		gateway = await GatewayProcess.start({ shards: 1, config, fork: false });
		config.queue.applicationId = botKey(gateway.simulator.token);
		await gateway.fork();
	});
	afterEach(async () => {
		await server?.close();
	});

	/** Not running yet. */
	async function connect(defer: boolean | 'ephemeral'): Promise<Queue> {
		const { token } = gateway.simulator;
		const options = { url: server.url, token, leaseMs: 1000, onWarning: () => {} };
		const queue = await connectQueue({ group: 'commands', events: ['INTERACTION_CREATE'], defer, ...options });
		onTestFinished(() => queue.close());
		return queue;
	}

	const answers = () => gateway.simulator.log.entries({ type: 'interaction' }).map(({ callbackType }) => callbackType);

	it('have their response before a worker is there, which then edits it', async () => {
		const queue = await connect(true);
		await waitFor('the group to be there', async () => (await queue.subscribe()) !== undefined);
		await gateway.noticed('upstream:ready', 0);
		const { simulator } = gateway;
		await waitFor('the first response', () => {
			// It is known a moment later that the group asks for it.
			simulator.emit('INTERACTION_CREATE', { name: 'ping' });
			return answers().length > 0;
		});
		const rest = queue.rest(REST, { api: simulator.url, retries: 0 });
		const client = new Client({ rest, gateway: queue.gateway });
		const seen: { id: string; type: number; deferred: boolean }[] = [];
		const answer = async ({ data, api }: ToEventProps<APIInteraction>): Promise<void> => {
			const { id, type, token, application_id: application } = data as Interaction;
			const deferred = queue.isDeferred(data);
			seen.push({ id, type, deferred });
			if (deferred) await api.interactions.editReply(application, token, { content: 'later' });
		};
		// Its types say that a client does not wait for its listeners; the queue does.
		client.on(GatewayDispatchEvents.InteractionCreate, answer as (props: ToEventProps<APIInteraction>) => void);
		const running = queue.run(client);
		await waitFor('an edit', () => simulator.log.entries({ type: 'rest' }).some(({ method }) => method === 'PATCH'));
		// Autocomplete has no deferred response.
		const options = [{ name: 'x', type: 3, value: 'a', focused: true }];
		await waitFor('the autocomplete', () => {
			simulator.emit('INTERACTION_CREATE', { type: 4, name: 'ping', options });
			return seen.some(({ type }) => type === 4);
		});
		expect(seen.filter(({ type, deferred }) => type === 4 && deferred)).toEqual([]);
		expect(answers().every((type) => type === 5)).toBe(true);
		await queue.close();
		await running;
		const edits = simulator.log.entries({ type: 'rest' }).filter(({ method }) => method === 'PATCH');
		expect([edits.length, edits.filter(({ status }) => status !== 200)]).toEqual([
			seen.filter(({ deferred }) => deferred).length,
			[],
		]);
		expect(queue.stats().dead).toBe(0);
		expect(gateway.upstream()).toMatchObject({ violations: 0 });
	});

	it('have a response that only their user sees where a group asks for that', async () => {
		const queue = await connect('ephemeral');
		await waitFor('the group to be there', async () => (await queue.subscribe()) !== undefined);
		await gateway.noticed('upstream:ready', 0);
		const { simulator } = gateway;
		await waitFor('the first response', () => {
			simulator.emit('INTERACTION_CREATE', { name: 'ping' });
			return answers().length > 0;
		});
		const response = simulator.world.interactions.newest(({ callbackType }) => callbackType === 5)?.message;
		// Discord: Message Flags: EPHEMERAL.
		expect(Number(response?.flags) & 64).toBe(64);
		await queue.close();
	});

	it('are delivered as others where Discord refuses the response, which is reported once and without the token', async () => {
		const queue = await connect(true);
		const { simulator } = gateway;
		const seen: { token: string; deferred: boolean }[] = [];
		queue.handle(({ data, deferred }) => {
			seen.push({ token: (data as Interaction).token, deferred });
		});
		const running = queue.run();
		await gateway.noticed('upstream:ready', 0);
		simulator.faults.restStatus({ forMs: 600_000, status: 403, path: '/interactions' });
		await waitFor('a refusal', () => {
			simulator.emit('INTERACTION_CREATE', { name: 'ping' });
			return gateway.notices.some(({ kind }) => kind === 'interactions:not-deferred');
		});
		const before = seen.length;
		await waitFor('another one', () => {
			simulator.emit('INTERACTION_CREATE', { name: 'ping' });
			return seen.length > before;
		});
		expect(seen.filter(({ deferred }) => deferred)).toEqual([]);
		const notices = gateway.notices.filter(({ kind }) => kind === 'interactions:not-deferred');
		expect(notices.map(({ message }) => message)).toEqual([
			'1 interaction got no deferred response: Discord answered 403 (code 0)',
		]);
		await queue.close();
		await running;
	});

	it('are not there where no group asks for them', async () => {
		const queue = await connect(false);
		const { simulator } = gateway;
		const seen: boolean[] = [];
		queue.handle(({ deferred }) => void seen.push(deferred));
		const running = queue.run();
		await gateway.noticed('upstream:ready', 0);
		await waitFor('an interaction', () => {
			simulator.emit('INTERACTION_CREATE', { name: 'ping' });
			return seen.length > 0;
		});
		expect([seen.includes(true), answers()]).toEqual([false, []]);
		await queue.close();
		await running;
	});
});
