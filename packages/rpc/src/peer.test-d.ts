// What the compiler knows of a peer that carries the contract between manager and worker.
import type { ManagerEvents, ManagerMethods, WorkerEvents, WorkerMethods, WorkerSample } from '@shardctl/core';
import { expectTypeOf } from 'vitest';
import type { Peer } from './peer.js';

declare const manager: Peer<ManagerMethods, WorkerMethods, ManagerEvents, WorkerEvents>;
declare const worker: Peer<WorkerMethods, ManagerMethods, WorkerEvents, ManagerEvents>;

expectTypeOf(manager.request('sample', null)).resolves.toEqualTypeOf<WorkerSample>();
expectTypeOf(worker.request('identify.acquire', { shardId: 0 })).resolves.toEqualTypeOf<{ slotId: number }>();

// @ts-expect-error: the manager does not answer pings
void worker.request('ping', null);
// @ts-expect-error: the params of another method
void manager.request('shutdown', { shardId: 0 });

worker.handle('ping', (params, { signal }) => {
	expectTypeOf(params).toEqualTypeOf<null>();
	expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
	return null;
});
// @ts-expect-error: a ping is answered with null
worker.handle('ping', () => 5);

manager.on('identify.sent', ({ slotId }) => expectTypeOf(slotId).toEqualTypeOf<number>());
worker.notify('identify.sent', { slotId: 1 });
// @ts-expect-error: the manager has no events so far
manager.notify('identify.sent', { slotId: 1 });
