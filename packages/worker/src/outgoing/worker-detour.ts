// Where a worker's own connections to Discord go. A client that is hooked or attached uses the manager's addresses by itself; this is
// for the ones that are out of reach, such as a discord.js that is bundled into the bot.
import type { WorkerConfig } from '@shardctl/core';
import { isOnThisMachine } from '../boot-quiet.js';
import { isApiHost, isGatewayHost } from './discord-hosts.js';
import { detourTls } from './tls-detour.js';

/**
 * On a simulator nothing reaches Discord. In resident mode a client that is out of reach connects to the gateway process: a session of
 * its own beside the one that is held there would receive every event twice.
 *
 * @param hasClient Whether a client was met. What connects to Discord from then on is another bot.
 */
export function detourOwnConnections({ gateway, simulator }: WorkerConfig, hasClient: () => boolean): void {
	const gatewayUrl = isOnThisMachine(gateway.url) ? new URL(gateway.url) : undefined;
	const apiUrl = simulator === undefined ? undefined : new URL(simulator);
	if (!gatewayUrl && !apiUrl) return;
	detourTls((host) => {
		if (isGatewayHost(host)) return apiUrl || !hasClient() ? gatewayUrl : undefined;
		return isApiHost(host) ? apiUrl : undefined;
	});
}
