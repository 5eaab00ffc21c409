import { expect, it } from 'vitest';
import { gatewayInfoSource } from './gateway-info-source.js';

it("returns the manager's information and a full budget, which the manager guards", async () => {
	const limit = { total: 1000, remaining: 3, reset_after: 5, max_concurrency: 16 };
	const info = { url: 'wss://gateway', shards: 4, session_start_limit: limit };
	expect(await gatewayInfoSource(info).get()).toEqual({ ...info, session_start_limit: { ...limit, remaining: 1000 } });
	expect(info.session_start_limit.remaining).toBe(3);
});
