// How shardctl sees and prepares a client of @discordjs/core: its gateway is a @discordjs/ws manager, its rest a @discordjs/rest.
import type { ClientAdapter } from '../client-adapter.js';
import { field } from '../fields.js';
import { discordjsWsAdapter, isWebSocketManager, type WebSocketManager } from './discordjs-ws.js';

export interface CoreClient {
	gateway: WebSocketManager;
	/** Version 1 of @discordjs/rest has its options in the request manager. */
	rest: { options?: { api: string }; requestManager?: { options: { api: string } } };
}

export function isCoreClient(client: unknown): client is CoreClient {
	return isWebSocketManager(field(client, 'gateway')) && restOptions(field(client, 'rest')) !== undefined;
}

export function discordjsCoreAdapter(): ClientAdapter<CoreClient> {
	const gateway = discordjsWsAdapter();
	return {
		library: '@discordjs/core',
		prepare(client, worker) {
			const options = restOptions(client.rest);
			if (options) options.api = worker.api;
			gateway.prepare?.(client.gateway, worker);
		},
		observe: (client, report) => gateway.observe(client.gateway, report),
		sample: (client) => gateway.sample(client.gateway),
		destroy: (client) => gateway.destroy(client.gateway),
	};
}

function restOptions(rest: unknown): { api: string } | undefined {
	return (field(rest, 'options') ?? field(field(rest, 'requestManager'), 'options')) as { api: string } | undefined;
}
