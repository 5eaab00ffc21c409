// How shardctl sees and prepares a client of @discordjs/core: its gateway is a @discordjs/ws manager, its rest a @discordjs/rest.
import type { ClientAdapter } from '../client-adapter.js';
import { field } from '../fields.js';
import { discordjsWsAdapter, isWebSocketManager, type WebSocketManager } from './discordjs-ws.js';

export interface CoreClient {
	gateway: WebSocketManager;
	rest: { options: { api: string } };
}

export function isCoreClient(client: unknown): client is CoreClient {
	return isWebSocketManager(field(client, 'gateway')) && field(field(client, 'rest'), 'options') !== undefined;
}

export function discordjsCoreAdapter(): ClientAdapter<CoreClient> {
	const gateway = discordjsWsAdapter();
	return {
		library: '@discordjs/core',
		prepare(client, worker) {
			client.rest.options.api = worker.api;
			gateway.prepare?.(client.gateway, worker);
		},
		observe: (client, report) => gateway.observe(client.gateway, report),
		sample: (client) => gateway.sample(client.gateway),
		destroy: (client) => gateway.destroy(client.gateway),
	};
}
