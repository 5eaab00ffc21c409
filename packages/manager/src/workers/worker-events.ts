// Turns what happens to one worker into the manager's events.

import type { WorkerRef } from '@shardctl/control';
import type { Clock } from '@shardctl/core';
import type { EmitFleetEvent } from '../events.js';
import type { ManagedWorker } from './managed-worker.js';

/** Forwards a worker's events for its whole life. */
export function forwardWorkerEvents(worker: ManagedWorker, clock: Clock, emit: EmitFleetEvent): void {
	const ref: WorkerRef = { workerId: worker.id, shardIds: worker.shardIds };
	const { child } = worker;
	child.on('state', ({ from, to }) => {
		emit('worker:state', { ...ref, from, to });
		if (from === 'unresponsive' && (to === 'ready' || to === 'starting')) emit('worker:responsive', ref);
	});
	child.on('spawned', ({ pid, epoch }) => emit('worker:spawned', { ...ref, pid, epoch }));
	child.on('ready', () => emit('worker:ready', { ...ref, tookMs: Math.max(0, clock.now() - (child.startedAt ?? 0)) }));
	child.on('exited', (report) => emit('worker:exited', { ...ref, report }));
	child.on('failed', ({ reason, retryInMs }) => emit('worker:failed', { ...ref, reason, retryInMs }));
	child.on('memory', ({ pid, rssBytes, limitBytes, over }) => emit('worker:memory', { ...ref, pid, rssBytes, limitBytes, over }));
	child.on('unresponsive', () => emit('worker:unresponsive', ref));
	child.on('log', ({ pid, stream, line }) => emit('worker:log', { ...ref, pid, stream, line }));
	worker.on('identify-expired', (shardId, afterMs) =>
		emit('identify:expired', { workerId: worker.id, shardIds: [shardId], afterMs }),
	);
	worker.on('message', (message) => emit('message', { ...ref, message }));
	worker.on('shard.status', ({ shardId, status, closeCode }) => {
		const shard = { shardId, workerId: worker.id };
		if (status === 'disconnected') emit('shard:disconnected', { ...shard, closeCode });
		else emit(`shard:${status}`, shard);
	});
}
