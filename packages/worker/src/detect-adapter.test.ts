// With real clients of every library, so that a version that changes its shape shows here.
import { Client as CoreClient } from '@discordjs/core';
import { REST } from '@discordjs/rest';
import { WebSocketManager } from '@discordjs/ws';
import { Client as DiscordJsClient } from 'discord.js';
import { Client as ErisClient } from 'eris';
import { Client as OceanicClient } from 'oceanic.js';
import { Client as OldOceanicClient } from 'oceanic.js-1.6';
import { describe, expect, it } from 'vitest';
import { detectAdapter } from './detect-adapter.js';

const token = 'token';
const rest = new REST().setToken(token);
const gateway = new WebSocketManager({ token, rest, intents: 0 });

describe('detectAdapter', () => {
	it.each<[string, object]>([
		['discord.js 14 (bundled)', new DiscordJsClient({ intents: [] })],
		['@discordjs/core', new CoreClient({ rest, gateway })],
		['@discordjs/ws', gateway],
		['eris', new ErisClient(`Bot ${token}`, { intents: [] })],
		['oceanic.js', new OceanicClient({ auth: `Bot ${token}` })],
		['oceanic.js', new OldOceanicClient({ auth: `Bot ${token}` })],
	])('recognises a client of %s', (library, client) => {
		expect(detectAdapter(client).library).toBe(library);
	});

	it.each([[{}], [new Map()], [new (class MyClient {})()], [{ shards: new Map() }]])(
		'rejects %o and says what to do',
		(client) => {
			expect(() => detectAdapter(client)).toThrow(
				expect.objectContaining({
					code: 'OPTIONS_INVALID',
					message: expect.stringContaining('pass an adapter as the second argument'),
				}),
			);
		},
	);
});
