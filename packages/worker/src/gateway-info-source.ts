// Serves a @discordjs/ws manager's `GET /gateway/bot` from the response that the shardctl manager already has.
import type { GatewayInfo } from '@shardctl/core';

/**
 * A replacement for the `rest` option of a @discordjs/ws manager, of which only `get('/gateway/bot')` is used. The session budget
 * is reported as full: the manager guards the real one for all workers, while the library would refuse to start by its own count.
 */
export function gatewayInfoSource(info: GatewayInfo): { get(): Promise<GatewayInfo> } {
	const { session_start_limit: limit } = info;
	const response = { ...info, session_start_limit: { ...limit, remaining: limit.total } };
	return { get: async () => response };
}
