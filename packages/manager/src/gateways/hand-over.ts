// Replaces a worker without a gap: the new process boots beside the old one and is shown READY and its guilds while the stream
// stands still; only when it is ready does the old one end, and the stream goes on to the new one. Whatever fails before
// that, the old one carries on where it was.
import { fatalCloseCodes, messageOf, ShardctlError } from '@shardctl/core';
import type { ManagedWorker } from '../workers/managed-worker.js';
import type { ManagedGateway } from './managed-gateway.js';

export interface HandOverOptions {
	gateway: ManagedGateway;
	old: ManagedWorker;
	/** Not started yet. */
	successor: ManagedWorker;
	/** The number of the successor's process. */
	incarnation: number;
	/** How long the new process may take to come to its IDENTIFY, and again to become ready. */
	timeoutMs: number;
	signal: AbortSignal;
	/** The new process is ready: from here on there is no way back. */
	onTakeOver(): void;
}

/** Throws `WORKER_NOT_READY` when the new process does not become ready; the old one goes on then. */
export async function handOver({
	gateway,
	old,
	successor,
	incarnation,
	timeoutMs,
	signal,
	onTakeOver,
}: HandOverOptions): Promise<void> {
	const params = { incarnation, shardIds: successor.shardIds };
	const over = new AbortController();
	const limits = { timeoutMs, signal: AbortSignal.any([signal, over.signal]) };
	const failure = ending(successor, limits.signal);
	// Whoever still waits for it when it comes is told; nobody else has to be.
	failure.catch(() => {});
	try {
		await gateway.request('handover.begin', params, limits);
		const ready = new Promise<void>((resolve) => successor.child.once('ready', () => resolve()));
		successor.child.start();
		await Promise.race([gateway.request('handover.waiting', params, limits), failure]);
		const { drained } = await gateway.request('handover.pause', params, limits);
		if (!drained) throw new ShardctlError('CALL_TIMEOUT', 'the old process does not say that it has the events it was sent');
		await gateway.request('handover.present', params, limits);
		await Promise.race([ready, failure, expiry(limits)]);
	} catch (cause) {
		over.abort();
		await gateway.request('handover.abort', params, { timeoutMs }).catch(() => {});
		await successor.child.stop({ graceMs: 0 });
		const report = successor.child.lastExit;
		const why = report && report.reason !== 'requested' ? report.message : messageOf(cause);
		throw new ShardctlError(
			'WORKER_NOT_READY',
			`the new process of ${old.label} did not take over, so the old one carries on: ${why}`,
			{
				cause,
				details: { workerId: old.id, shardIds: old.shardIds, rolledBack: true },
			},
		);
	}
	over.abort();
	onTakeOver();
	// It logs out after its last handler; what its process needs to end is no reason to keep the stream waiting.
	const gone = old.child.stop();
	const released = gateway.request('handover.released', params, { timeoutMs: Number.POSITIVE_INFINITY });
	await Promise.race([gone, released.catch(() => gone)]);
	// A gateway process that has just died comes back knowing the new worker.
	await gateway.request('handover.commit', params, { timeoutMs }).catch(() => {});
	await gone;
}

/** Rejects when the process ends; never resolves. */
function ending(worker: ManagedWorker, signal: AbortSignal): Promise<never> {
	return new Promise((_, reject) => {
		worker.child.once('exited', (report) => reject(new ShardctlError('WORKER_NOT_READY', report.message)));
		worker.child.once('failed', ({ reason }) => reject(new ShardctlError('WORKER_NOT_READY', reason)));
		worker.on('shard.status', ({ shardId, status, closeCode }) => {
			if (status === 'disconnected')
				reject(new ShardctlError('WORKER_NOT_READY', `shard ${shardId} was closed with ${closeCode}${meaning(closeCode)}`));
		});
		signal.addEventListener('abort', () => reject(signal.reason), { once: true });
	});
}

function meaning(closeCode: number | undefined): string {
	const known = closeCode === undefined ? undefined : fatalCloseCodes.get(closeCode);
	return known === undefined ? '' : `: ${known}`;
}

function expiry({ timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal }): Promise<never> {
	return new Promise((_, reject) => {
		if (!Number.isFinite(timeoutMs)) return;
		const timer = setTimeout(
			() => reject(new ShardctlError('CALL_TIMEOUT', `it was not ready within ${timeoutMs / 1000} s`)),
			timeoutMs,
		);
		signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
	});
}
