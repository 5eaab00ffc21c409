// The simulator against eris, unmodified but for the address of REST.
import { Agent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { waitFor } from '@shardctl/test-support';
import Eris from 'eris';
import { expect, onTestFinished, test } from 'vitest';
import { simulator } from '../raw-client.js';

/** eris speaks HTTPS only; this agent makes its requests plain HTTP on a port of our choice. */
function plainAgent(port: number): HttpsAgent {
	return Object.assign(new Agent(), { protocol: 'https:', defaultPort: port }) as unknown as HttpsAgent;
}

test('eris comes up with two shards, hears a message, answers it and resumes', async () => {
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
