// The simulator against eris, unmodified except for the address of REST.
import { Agent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { waitFor } from '@shardctl/test-support';
import Eris from 'eris';
import { expect, onTestFinished, test } from 'vitest';
import { simulator } from '../raw-client.js';

/** eris supports HTTPS only; this agent turns its requests into plain HTTP on a given port. */
function plainAgent(port: number): HttpsAgent {
	return Object.assign(new Agent(), { protocol: 'https:', defaultPort: port }) as unknown as HttpsAgent;
}

test('eris starts two shards, receives a message, replies and resumes', async () => {
	const sim = await simulator({ guilds: 6 });
	const client = Eris(`Bot ${sim.token}`, {
		intents: ['guilds', 'guildMessages', 'messageContent'],
		maxShards: 2,
		restMode: true,
		rest: { domain: '127.0.0.1', baseURL: '/api/v10', agent: plainAgent(sim.port) },
	});
	onTestFinished(() => client.disconnect({ reconnect: false }));
	client.on('error', () => {});
	const heard: string[] = [];
	client.on('messageCreate', (message) => {
		heard.push(message.content);
		if (message.content === 'ping') void client.createMessage(message.channel.id, 'pong');
	});
	const ready = new Promise<void>((resolve) => client.once('ready', resolve));
	await client.connect();
	await ready;
	expect([client.guilds.size, client.shards.size]).toEqual([6, 2]);
	sim.emit('MESSAGE_CREATE', { content: 'ping' });
	await waitFor('the answer', () => heard.includes('pong'));
	const resumed = new Promise<void>((resolve) => client.once('shardResume', () => resolve()));
	sim.faults.drop({ shard: 0 });
	await resumed;
	expect(sim.log.entries({ type: 'identify' })).toHaveLength(2);
});
