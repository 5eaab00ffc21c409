// Answers a @discordjs/ws manager's `GET /gateway/bot` from what the shardctl manager already asked.
import type { GatewayInfo } from '@shardctl/core';

/**
 * Stands in for the `rest` option of a @discordjs/ws manager, of which only `get('/gateway/bot')` is used. The session budget
 * is shown as full: the manager guards the real one for all workers, while the library would give up on its own reckoning.
 */
export function gatewayInfoSource(info: GatewayInfo): { get(): Promise<GatewayInfo> } {
	const { session_start_limit: limit } = info;
	const answer = { ...info, session_start_limit: { ...limit, remaining: limit.total } };
	return { get: async () => answer };
}
