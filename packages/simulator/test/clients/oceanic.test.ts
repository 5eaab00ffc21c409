// The simulator against oceanic.js, unmodified except for the address of REST.

import { waitFor } from '@shardctl/test-support';
import { Client } from 'oceanic.js';
import { expect, onTestFinished, test } from 'vitest';
import { simulator } from '../raw-client.js';

test('oceanic.js starts two shards, receives a message, replies and resumes', async () => {
	const sim = await simulator({ guilds: 6 });
	const client = new Client({
		auth: `Bot ${sim.token}`,
		gateway: { intents: ['GUILDS', 'GUILD_MESSAGES', 'MESSAGE_CONTENT'], maxShards: 2 },
		rest: { baseURL: `${sim.url}/v10` },
	});
	onTestFinished(() => client.disconnect(false));
	client.on('error', () => {});
	const heard: string[] = [];
	client.on('messageCreate', (message) => {
		heard.push(message.content);
		if (message.content === 'ping') void client.rest.channels.createMessage(message.channelID, { content: 'pong' });
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
