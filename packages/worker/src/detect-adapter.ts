// Finds the adapter of a client by its shape: no library is imported, and a bot may have several versions of one.
import { ShardctlError } from '@shardctl/core';
import { discordjsCoreAdapter, isCoreClient } from './adapters/discordjs-core.js';
import { discordjsWsAdapter, isWebSocketManager } from './adapters/discordjs-ws.js';
import { erisAdapter, isErisClient } from './adapters/eris.js';
import { isOceanicClient, oceanicAdapter } from './adapters/oceanic.js';
import type { ClientAdapter } from './client-adapter.js';
import { discordJsAdapter } from './discordjs/adapter.js';
import { type DiscordClient, isDiscordJsClient } from './discordjs/library.js';

/** The adapter for a client of a library that shardctl knows. Throws `OPTIONS_INVALID` for any other. */
export function detectAdapter<Client extends object>(client: Client): ClientAdapter<Client> {
	const adapter = adapterOf(client);
	if (adapter) return adapter as ClientAdapter<Client>;
	throw new ShardctlError(
		'OPTIONS_INVALID',
		`attach() does not know the library of this client (${client?.constructor?.name ?? typeof client}): pass an adapter as the ` +
			'second argument. Clients of discord.js, @discordjs/core, @discordjs/ws, eris and oceanic.js need none',
	);
}

function adapterOf(client: unknown): ClientAdapter<never> | undefined {
	if (isDiscordJsClient(client)) return bundledDiscordJs as ClientAdapter<never>;
	if (isCoreClient(client)) return discordjsCoreAdapter() as ClientAdapter<never>;
	if (isWebSocketManager(client)) return discordjsWsAdapter() as ClientAdapter<never>;
	if (isErisClient(client)) return erisAdapter as ClientAdapter<never>;
	if (isOceanicClient(client)) return oceanicAdapter as ClientAdapter<never>;
	return undefined;
}

/** A discord.js client that was not attached by itself comes out of a bundle, where the library's modules are out of reach. */
const bundledDiscordJs: ClientAdapter<DiscordClient> = discordJsAdapter({
	version: '14 (bundled)',
	gatewayLibrary: undefined,
	first: true,
});
