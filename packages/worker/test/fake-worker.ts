// A worker as adapters see it, for unit tests: three shards with gaps, and an open gate.
import type { WorkerAccess } from '../src/client-adapter.js';

export function fakeWorker(overrides: Partial<WorkerAccess> = {}): WorkerAccess {
	return {
		shardIds: [2, 3, 7],
		totalShards: 9,
		api: 'http://127.0.0.1:8080/api',
		gateway: {
			url: 'wss://gateway',
			shards: 9,
			session_start_limit: { total: 1000, remaining: 3, reset_after: 7, max_concurrency: 16 },
		},
		identify: { wait: async () => {}, confirm: () => {} },
		isOwnToken: () => true,
		...overrides,
	};
}
