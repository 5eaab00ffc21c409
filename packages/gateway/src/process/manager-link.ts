// A gateway process's end of the channel to its manager: answers the manager's requests, and asks for identify slots.
import {
	type GatewayEvents,
	type GatewayManagerMethods,
	type GatewayMethods,
	IdentifyClient,
	type WorkerIncarnation,
} from '@shardctl/core';
import { ipcPort, Peer } from '@shardctl/rpc';
import type { ResidentShard } from '../shard/resident-shard.js';
import type { SessionTerms } from '../upstream/upstream-shard.js';
import type { ResidentGateway } from './resident-gateway.js';

export type GatewayPeer = Peer<GatewayMethods, GatewayManagerMethods, GatewayEvents>;

export function openManagerLink(epoch: number): GatewayPeer {
	return new Peer({ port: ipcPort(process), epoch });
}

/** Asks the manager before each IDENTIFY of a session with Discord; `successor`: of one that is to replace others. */
export function identifyClient(peer: GatewayPeer, { successor = false } = {}): IdentifyClient {
	return new IdentifyClient({
		acquire: (session, signal) =>
			peer.request(
				'identify.acquire',
				{ session, ...(successor && { successor }) },
				{ ...(signal && { signal }), timeoutMs: Number.POSITIVE_INFINITY },
			),
		report: (event, slotId) => peer.notify(`identify.${event}`, { slotId }),
	});
}

/** Registers a handler for every request but those that concern the process itself. */
export function answerManager(
	peer: GatewayPeer,
	gateway: Pick<
		ResidentGateway,
		'stats' | 'shards' | 'hear' | 'ping' | 'reshard' | 'beginShards' | 'changeOf' | 'commitShards' | 'dropShards'
	>,
): void {
	const each = async (
		{ incarnation, shardIds, totalShards }: WorkerIncarnation,
		work: (shard: ResidentShard, incarnation: number) => Promise<void> | void,
	): Promise<null> => {
		await Promise.all(gateway.shards(shardIds, totalShards).map(async (shard) => work(shard, incarnation)));
		return null;
	};
	peer.handle('stats', () => gateway.stats());
	peer.handle('worker.expect', (worker) => each(worker, (shard, incarnation) => shard.admitOnly(incarnation, worker)));
	peer.handle('worker.drain', async ({ shardIds }) => {
		const drained = await Promise.all(gateway.shards(shardIds).map((shard) => shard.drain()));
		return { drained: drained.every(Boolean) };
	});
	peer.handle('session.reshard', (group) => gateway.reshard(group));
	peer.handle('shards.begin', async (next) => ({ guilds: await gateway.beginShards(next) }));
	peer.handle('shards.cut', async ({ generation, sealedWithinMs }) => {
		await gateway.changeOf(generation).cut({ sealedWithinMs });
		return null;
	});
	for (const step of ['seal', 'released'] as const) {
		peer.handle(`shards.${step}`, async ({ generation }) => {
			await gateway.changeOf(generation)[step]();
			return null;
		});
	}
	peer.handle('shards.commit', ({ generation }) => gateway.commitShards(generation));
	peer.handle('shards.drop', ({ generation }) => gateway.dropShards(generation));
	peer.handle('session.lease', async (lease) => {
		await gateway.hear(lease);
		return null;
	});
	peer.handle('worker.ready', (worker) => each(worker, (shard, incarnation) => shard.workerReady(incarnation)));
	peer.handle('worker.ping', async (worker, { signal }) => {
		await gateway.ping(worker, signal);
		return null;
	});
	peer.handle('worker.figures', ({ incarnation, shardIds, totalShards }) => ({
		shards: gateway.shards(shardIds, totalShards).map((shard) => shard.sample(incarnation)),
	}));
	peer.handle('shard.prepare', async ({ shardId, totalShards, terms }) => {
		const [shard] = gateway.shards([shardId], totalShards);
		return { answerable: (await shard?.prepare(terms as SessionTerms | null)) ?? false };
	});
	peer.handle('handover.begin', (to) => each(to, ({ handover }, incarnation) => handover.begin(incarnation)));
	peer.handle('handover.waiting', (to) => each(to, ({ handover }, incarnation) => handover.waiting(incarnation)));
	peer.handle('handover.pause', async ({ incarnation, shardIds }) => {
		const drained = await Promise.all(gateway.shards(shardIds).map(({ handover }) => handover.pause(incarnation)));
		return { drained: drained.every(Boolean) };
	});
	peer.handle('handover.present', (to) => each(to, ({ handover }, incarnation) => handover.answer(incarnation)));
	peer.handle('handover.released', (to) => each(to, ({ handover }, incarnation) => handover.released(incarnation)));
	peer.handle('handover.commit', (to) => each(to, ({ handover }, incarnation) => handover.commit(incarnation, to)));
	peer.handle('handover.abort', (to) => each(to, ({ handover }, incarnation) => handover.abort(incarnation)));
}
