import { expect, it } from 'vitest';
import { restRoute } from './rest-route.js';

const interactionToken = Buffer.from('interaction:123456789012345678:abc').toString('base64');

it.each([
	['/channels/1/messages', 'messages', false],
	['/channels/1/messages/2/reactions/x/@me', 'messages', false],
	['/channels/1', 'channels', false],
	['/guilds/1/members', 'guilds', false],
	['/interactions/1/token/callback', 'interactions', true],
	[`/webhooks/1/${interactionToken}/messages/@original`, 'interactions', true],
	['/webhooks/1/a-token-of-a-channel', 'webhooks', false],
	['/users/@me', 'users', false],
	['/gateway/bot', 'gateway', false],
	['/sticker-packs', 'other', false],
	['/constructor', 'other', false],
	['', 'other', false],
])('%s is of class %s', (path, name, isInteraction) => {
	expect(restRoute(path)).toEqual({ class: name, isInteraction });
});
