// Clients that connect without attach(), of libraries that keep their token in different places.
import { expect, it } from 'vitest';
import { ownToken } from '../own-token.js';
import type { WorkerRuntime } from '../runtime.js';
import { watchConnect } from './unattached.js';

it.each([
	['eris', { _token: 'Bot secret' }],
	['an older eris', { token: 'Bot secret' }],
	['oceanic.js', { options: { auth: 'Bot secret' } }],
	['@discordjs/ws', { options: { token: 'secret' } }],
])('rejects a client of %s', (_, fields) => {
	const problems: unknown[] = [];
	const connected: object[] = [];
	let met = 0;
	class Client {
		connect() {
			connected.push(this);
		}
	}
	watchConnect({ Client }, '/bot/node_modules/library/index.js', 'Client', {
		isAttached: () => false,
		access: { isOwnToken: ownToken('secret') },
		report: (problem: unknown) => problems.push(problem),
		noteClient: () => met++,
	} as unknown as WorkerRuntime);

	Object.assign(new Client(), fields).connect();
	expect({ problems, connected }).toEqual({
		problems: [expect.objectContaining({ code: 'NOT_ATTACHED', fatal: true })],
		connected: [],
	});
	expect(met).toBe(0);
	const ofAnotherBot = new Client();
	ofAnotherBot.connect();
	expect({ connected, met }).toEqual({ connected: [ofAnotherBot], met: 1 });
});
