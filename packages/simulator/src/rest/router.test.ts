import { expect, test } from 'vitest';
import { noContent } from './answer.js';
import { route } from './route.js';
import { Router } from './router.js';

const router = new Router([
	route('GET', '/users/@me', () => noContent),
	route('GET', '/users/:userId', () => noContent),
	route('POST', '/webhooks/:applicationId/:token', () => noContent),
	route('GET', '/webhooks/:webhookId', () => noContent),
	route('PUT', '/channels/:channelId/messages/pins/:messageId', () => noContent),
	route('DELETE', '/channels/:channelId/messages/:messageId/reactions', () => noContent),
]);

test.each([
	['GET', '/users/@me', '/users/@me', {}],
	['GET', '/users/5', '/users/:userId', { userId: '5' }],
	['GET', '/webhooks/5', '/webhooks/:webhookId', { webhookId: '5' }],
	['POST', '/webhooks/5/t', '/webhooks/:applicationId/:token', { applicationId: '5', token: 't' }],
	['PUT', '/channels/1/messages/pins/2', '/channels/:channelId/messages/pins/:messageId', { channelId: '1', messageId: '2' }],
	[
		'DELETE',
		'/channels/1/messages/pins/reactions',
		'/channels/:channelId/messages/:messageId/reactions',
		{ channelId: '1', messageId: 'pins' },
	],
	['GET', '/users/%F0%9F%91%8D', '/users/:userId', { userId: '👍' }],
	['GET', '/users/%ZZ', '/users/:userId', { userId: '%ZZ' }],
])('routes %s %s to %s', (method, path, pattern, params) => {
	expect(router.find(method, path)).toMatchObject({ route: { path: pattern }, params });
});

test('an unknown path is not found, and another method returns the allowed ones', () => {
	expect([router.find('GET', '/nope'), router.find('GET', '/'), router.find('GET', '/users/1/2')]).toEqual([
		undefined,
		undefined,
		undefined,
	]);
	expect(router.find('PATCH', '/users/@me')).toEqual({ allowed: ['GET'] });
});
