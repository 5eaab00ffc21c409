// A gateway process's end of the channel to its manager: answers what the manager asks, and asks for identify slots.
import type { GatewayEvents, GatewayManagerMethods, GatewayMethods, WorkerIncarnation } from '@shardctl/core';
import { ipcPort, Peer } from '@shardctl/rpc';
import type { ResidentGateway } from './resident-gateway.js';

export type GatewayPeer = Peer<GatewayMethods, GatewayManagerMethods, GatewayEvents>;

export function openManagerLink(epoch: number): GatewayPeer {
	return new Peer({ port: ipcPort(process), epoch });
}

/** Registers the answers to everything but `shutdown`, which is the process's own. */
export function answerManager(peer: GatewayPeer, gateway: ResidentGateway): void {
	const each = async (
		{ shardIds }: WorkerIncarnation,
		work: (shard: ReturnType<ResidentGateway['shards']>[number]) => unknown,
	) => {
		await Promise.all(gateway.shards(shardIds).map(work));
		return null;
	};
	peer.handle('ping', () => null);
	peer.handle('stats', () => gateway.stats());
	peer.handle('worker.expect', (params) => each(params, (shard) => shard.expect(params.incarnation, params)));
	peer.handle('worker.ready', (params) => each(params, (shard) => shard.stream.releaseHold(params.incarnation)));
	peer.handle('handover.begin', (params) => each(params, (shard) => shard.beginHandover(params.incarnation)));
	peer.handle('handover.waiting', (params) => each(params, (shard) => shard.handoverWaiting(params.incarnation)));
	peer.handle('handover.pause', async ({ shardIds }) => {
		const drained = await Promise.all(gateway.shards(shardIds).map((shard) => shard.pause()));
		return { drained: drained.every(Boolean) };
	});
	peer.handle('handover.present', (params) => each(params, (shard) => shard.present(params.incarnation)));
	peer.handle('handover.released', (params) => each(params, (shard) => shard.stream.released()));
	peer.handle('handover.commit', (params) => each(params, (shard) => shard.commitHandover(params.incarnation)));
	peer.handle('handover.abort', (params) => each(params, (shard) => shard.abortHandover()));
}

/** The slot that each session identified with, until READY confirms it. */
export class IdentifySlots {
	readonly #peer: GatewayPeer;
	readonly #sent = new Map<number, number>();

	constructor(peer: GatewayPeer) {
		this.#peer = peer;
	}

	/**
	 * Resolves when the session may send IDENTIFY, which it must do at once. Rejects only when the signal aborts: @discordjs/ws
	 * identifies twice after any other rejection. With the manager gone it waits for ever, because this process is about to end.
	 */
	async wait(session: number, signal: AbortSignal): Promise<void> {
		let slotId: number;
		try {
			({ slotId } = await this.#peer.request('identify.acquire', { session }, { signal, timeoutMs: Number.POSITIVE_INFINITY }));
		} catch {
			return new Promise((_, reject) => {
				if (signal.aborted) reject(signal.reason);
				else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
			});
		}
		if (signal.aborted) {
			this.#peer.notify('identify.released', { slotId });
			throw signal.reason;
		}
		this.#sent.set(session, slotId);
		setImmediate(() => this.#peer.notify('identify.sent', { slotId }));
	}

	confirm(session: number): void {
		const slotId = this.#sent.get(session);
		if (slotId === undefined) return;
		this.#sent.delete(session);
		this.#peer.notify('identify.confirmed', { slotId });
	}
}
