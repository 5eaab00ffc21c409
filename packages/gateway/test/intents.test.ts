// A worker that asks for more intents than the session with Discord has: it gets a new session beside the old one, or the old one
// stays as it was.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { Client, expectUndisturbed, GatewayProcess, intents, Neighbour } from './support/gateway-process.js';

const members = 2;

it('filters events for a worker with fewer intents', async () => {
	const gateway = await GatewayProcess.start({ shards: 1 });
	await Client.ready(gateway, 0);
	const modest = await Client.ready(gateway, 0, { intents: 1 });
	const guildId = gateway.guildOf(0);
	gateway.simulator.emit('MESSAGE_CREATE', { content: '1' }, { guildId });
	gateway.simulator.emit('GUILD_ROLE_CREATE', { guild_id: guildId, role: { id: '77', name: 'new' } });
	await waitFor('the role', () => modest.frames.some(({ t }) => t === 'GUILD_ROLE_CREATE'));
	expect([modest.numbers, gateway.upstream().identify]).toEqual([[], 1]);
});

it('starts a new session with Discord for more intents, while the current worker keeps receiving events', async () => {
	const gateway = await GatewayProcess.start({ config: { workers: [{ incarnation: 1, shardIds: [0, 1] }] } });
	const old = await Client.ready(gateway, 0);
	await gateway.request('worker.ready', { incarnation: 1, shardIds: [0, 1] });
	const neighbour = await Neighbour.beside(gateway, 1);
	const guildId = gateway.guildOf(0);
	const say = (content: string) => gateway.simulator.emit('MESSAGE_CREATE', { content }, { guildId });
	await gateway.request('handover.begin', { incarnation: 2, shardIds: [0] });
	const wanted = await Client.connect(gateway.port, { path: '/worker/2' });
	wanted.identify(gateway, 0, { intents: intents | members });
	await gateway.request('handover.waiting', { incarnation: 2, shardIds: [0] });
	say('1');
	await waitFor('the message at the old worker', () => old.numbers.includes(1));
	await gateway.request('handover.pause', { incarnation: 2, shardIds: [0] });
	await gateway.request('handover.present', { incarnation: 2, shardIds: [0] });
	await waitFor('READY', () => wanted.isReady);
	old.socket.close(1000);
	await gateway.request('handover.commit', { incarnation: 2, shardIds: [0] });
	say('2');
	gateway.simulator.emit('GUILD_MEMBER_ADD', { guild_id: guildId, user: { id: '7', username: 'new' }, roles: [] });
	await waitFor('the member', () => wanted.frames.some(({ t }) => t === 'GUILD_MEMBER_ADD'));
	expect(wanted.numbers).toEqual([2]);
	expect((await gateway.noticed('upstream:intents', 0)).message).toMatch(/requested GUILD_MEMBERS/);
	// One of the two sessions with Discord is left.
	await waitFor('the end of the old session', () => gateway.simulator.state().sessions.length === 2);
	await expectUndisturbed(neighbour, { identify: 1, close: 1 });
});

it('keeps the old session when Discord refuses the intents, and admits the next worker', async () => {
	const gateway = await GatewayProcess.start({ simulator: { grantedIntents: 32_768 } });
	const old = await Client.ready(gateway, 0);
	const neighbour = await Neighbour.beside(gateway, 1);
	const guildId = gateway.guildOf(0);
	const greedy = await Client.connect(gateway.port);
	greedy.identify(gateway, 0, { intents: intents | members });
	expect(await greedy.closed).toBe(4014);
	expect((await gateway.noticed('worker:refused', 0)).message).toMatch(/Discord refused the intents GUILD_MEMBERS/);
	gateway.simulator.emit('MESSAGE_CREATE', { content: '1' }, { guildId });
	await waitFor('the message', () => old.numbers.includes(1));
	expect(await gateway.sessionStats(0)).toMatchObject({ status: 'ready', sessionsLost: 0 });
	expect(await gateway.stats(0)).toMatchObject({ worker: 'connected' });
	await Client.ready(gateway, 0);
	const refused = gateway.simulator.log.entries({ type: 'identify' }).filter((entry) => entry.outcome === 'closed');
	expect(refused).toHaveLength(1);
	// Discord counts the refused IDENTIFY as a fault.
	await expectUndisturbed(neighbour, { identify: 1, close: 1, violations: 1 });
});
