// The bot in voice channels, while its worker and the gateway process die and are replaced.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { Client, GatewayProcess, intents } from './support/gateway-process.js';

const withVoice = { intents: intents | 128 };
const both = [{ incarnation: 1, shardIds: [0] }];

/** The voice channel that the bot is in, as Discord has it. */
function channelOf(gateway: GatewayProcess): string | null {
	const { world } = gateway.simulator;
	return world.guilds.edit(gateway.guildOf(0))?.voiceStates.get(world.bot.id)?.channel_id ?? null;
}

async function inVoice(gateway: GatewayProcess): Promise<{ client: Client; join: { op: 4; d: object }; channelId: string }> {
	const client = await Client.ready(gateway, 0, withVoice);
	const guild = client.frames.find(({ t, d }) => t === 'GUILD_CREATE' && d.id === gateway.guildOf(0))?.d;
	const channelId = guild.channels.find((channel: { type: number }) => channel.type === 2).id as string;
	const join = { op: 4 as const, d: { guild_id: guild.id, channel_id: channelId, self_mute: false, self_deaf: false } };
	await gateway.request('worker.ready', { incarnation: 1, shardIds: [0] });
	client.send(join);
	await waitFor('where to connect', () => client.frames.some(({ t }) => t === 'VOICE_SERVER_UPDATE'));
	expect(channelOf(gateway)).toBe(channelId);
	return { client, join, channelId };
}

it('removes the bot from its channels when a worker died and the next one connects', async () => {
	const gateway = await GatewayProcess.start({ shards: 1, config: { workers: both } });
	const { client, channelId } = await inVoice(gateway);
	client.socket.terminate();
	await gateway.request('worker.expect', { incarnation: 2, shardIds: [0], crashed: true });
	await Client.ready(gateway, 0, withVoice);
	await waitFor('the bot to have left', () => channelOf(gateway) !== channelId);
	expect(channelOf(gateway)).toBeNull();
});

it('keeps the bot in its channels through a deploy, and sends the new worker the voice server', async () => {
	const gateway = await GatewayProcess.start({ shards: 1, config: { workers: both } });
	const { client: old, join, channelId } = await inVoice(gateway);
	const next = { incarnation: 2, shardIds: [0] };
	await gateway.request('handover.begin', next);
	const client = await Client.connect(gateway.port, { path: '/worker/2' });
	client.identify(gateway, 0, withVoice);
	await gateway.request('handover.waiting', next);
	await gateway.request('handover.pause', next);
	await gateway.request('handover.present', next);
	await waitFor('READY', () => client.isReady);
	old.socket.close(1000);
	await gateway.request('handover.commit', next);
	client.send(join);
	await waitFor('where to connect', () => client.frames.some(({ t }) => t === 'VOICE_SERVER_UPDATE'));
	const states = client.frames.filter(({ t }) => t === 'VOICE_STATE_UPDATE').map(({ d }) => d.channel_id);
	expect(new Set(states)).toEqual(new Set([channelId]));
	expect(channelOf(gateway)).toBe(channelId);
});

it('removes the bot from its channels also when its worker exited together with the gateway process', async () => {
	const gateway = await GatewayProcess.start({ shards: 1, config: { workers: both } });
	const { channelId } = await inVoice(gateway);
	await waitFor('its word that it has that', async () => (await gateway.stats(0)).bufferedEvents === 0);
	await gateway.kill('SIGTERM');
	await gateway.fork();
	await Client.ready(gateway, 0, withVoice);
	await waitFor('the bot to have left', () => channelOf(gateway) !== channelId);
	expect(channelOf(gateway)).toBeNull();
});
