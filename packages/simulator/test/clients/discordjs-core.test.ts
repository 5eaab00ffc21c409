// The simulator against @discordjs/ws 2 and @discordjs/core, unmodified.
import { API, Client, GatewayDispatchEvents, GatewayIntentBits, type GatewayMessageCreateDispatchData } from '@discordjs/core';
import { REST } from '@discordjs/rest';
import { CompressionMethod, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws';
import { waitFor } from '@shardctl/test-support';
import { expect, onTestFinished, test } from 'vitest';
import { simulator } from '../raw-client.js';

const intents = GatewayIntentBits.Guilds | GatewayIntentBits.GuildMessages | GatewayIntentBits.MessageContent;

async function start(options: { shardCount?: number; compression?: CompressionMethod } = {}) {
	const sim = await simulator({ guilds: 6, identifyWindowMs: 0 });
	const rest = new REST({ api: sim.url }).setToken(sim.token);
	// Without a pause between identifies: the simulator here requires none.
	const buildIdentifyThrottler = () => ({ waitForIdentify: () => Promise.resolve() });
	const gateway = new WebSocketManager({ token: sim.token, intents, rest, buildIdentifyThrottler, ...options });
	gateway.on(WebSocketShardEvents.Error, () => {});
	onTestFinished(() => gateway.destroy());
	const client = new Client({ rest, gateway });
	const guilds = new Set<string>();
	const messages: GatewayMessageCreateDispatchData[] = [];
	client.on(GatewayDispatchEvents.GuildCreate, ({ data }) => guilds.add(data.id));
	client.on(GatewayDispatchEvents.MessageCreate, ({ data }) => messages.push(data));
	await gateway.connect();
	return { sim, rest, gateway, guilds, messages };
}

test('@discordjs/ws starts two shards, @discordjs/core sends and receives messages', async () => {
	const { sim, rest, guilds, messages } = await start({ shardCount: 2 });
	await waitFor('every guild', () => guilds.size === 6);
	const api = new API(rest);
	const [guildId] = [...guilds] as [string];
	const channels = await api.guilds.getChannels(guildId);
	const channelId = channels.find(({ type }) => type === 0)?.id ?? '';
	const sent = await api.channels.createMessage(channelId, { content: 'hello from core' });
	await waitFor('the message', () => messages.length === 1);
	expect(messages[0]).toMatchObject({ id: sent.id, content: 'hello from core', guild_id: guildId });
	expect(sim.state().sessions.map(({ shard }) => shard)).toEqual([
		[0, 2],
		[1, 2],
	]);
});

test('@discordjs/ws with native zlib resumes after op 7 and misses no event', async () => {
	const { sim, gateway, guilds, messages } = await start({ compression: CompressionMethod.ZlibNative });
	await waitFor('every guild', () => guilds.size === 6);
	expect(sim.log.entries({ type: 'connection' })[0]?.compression).toBe('zlib-stream');
	const resumed = new Promise((resolve) => gateway.once(WebSocketShardEvents.Resumed, resolve));
	sim.emit('MESSAGE_CREATE', { content: 'one' });
	await waitFor('the first message', () => messages.length === 1);
	sim.faults.reconnect();
	sim.emit('MESSAGE_CREATE', { content: 'two' });
	await resumed;
	sim.emit('MESSAGE_CREATE', { content: 'three' });
	await waitFor('the last message', () => messages.some(({ content }) => content === 'three'));
	expect(messages.map(({ content }) => content)).toEqual(['one', 'two', 'three']);
	expect(sim.log.entries({ type: 'connection' }).map(({ path }) => path)).toEqual(['/', '/resume']);
	expect(sim.log.entries({ type: 'identify' })).toHaveLength(1);
});

test('@discordjs/ws identifies again after op 9 false', async () => {
	const { sim, gateway, guilds } = await start();
	await waitFor('every guild', () => guilds.size === 6);
	// Destroyed before that, it would never settle.
	const readyAgain = new Promise((resolve) => gateway.once(WebSocketShardEvents.Ready, resolve));
	sim.faults.invalidate({ resumable: false });
	await waitFor('a second session', () => sim.log.entries({ type: 'identify' }).length === 2);
	await readyAgain;
	expect(sim.state().sessions.map(({ connected }) => connected)).toEqual([true]);
	expect(sim.violations()).toEqual([]);
});
