// Webhooks of channels: made by the bot, run by every client that has their token. Discord: Webhook.
import { randomBytes } from 'node:crypto';
import { sendMessage } from '../../world/changes/messages.js';
import type { Webhook } from '../../world/model.js';
import { found, noContent, ok } from '../answer.js';
import { queryFlag } from '../query-flag.js';
import { type Route, type RouteContext, route } from '../route.js';
import { channelOf } from './channels.js';

function webhookOf({ world, params }: RouteContext): Webhook {
	return found(world.webhooks.get(params.webhookId as string), 'webhook');
}

/** Runs a webhook by id and token; `undefined` where there is none, because the same path serves interactions. */
export function runWebhook({ world, params, body, query }: RouteContext, webhookId: string): ReturnType<typeof ok> | undefined {
	const webhook = world.webhooks.get(webhookId);
	if (!webhook || webhook.token !== params.token) return undefined;
	const name = typeof body.username === 'string' ? body.username : webhook.name;
	const content = typeof body.content === 'string' ? body.content : '';
	const author = { id: webhook.id, username: name, discriminator: '0000', avatar: null, bot: true };
	const fields = { ...body, webhook_id: webhook.id };
	const message = sendMessage(world, { channelId: query.get('thread_id') ?? webhook.channel_id, author, content, fields });
	return queryFlag(query, 'wait') ? ok(message) : noContent;
}

export const webhookRoutes: readonly Route[] = [
	route('POST', '/channels/:channelId/webhooks', (context) => {
		const { world, body } = context;
		const channel = channelOf(context);
		const webhook: Webhook = {
			id: world.ids.next(),
			type: 1,
			channel_id: channel.id,
			guild_id: world.guildIdOfChannel(channel.id) ?? null,
			name: typeof body.name === 'string' ? body.name : 'webhook',
			avatar: null,
			application_id: world.applicationId,
			token: randomBytes(51).toString('base64url'),
			user: world.bot,
		};
		world.webhooks.set(webhook.id, webhook);
		const at = { guild_id: webhook.guild_id, channel_id: channel.id };
		world.emit({ type: 'WEBHOOKS_UPDATE', guildId: webhook.guild_id, data: at });
		return ok(webhook);
	}),
	route('GET', '/webhooks/:webhookId', (context) => ok(webhookOf(context))),
	route('DELETE', '/webhooks/:webhookId', (context) => {
		const webhook = webhookOf(context);
		context.world.webhooks.delete(webhook.id);
		const at = { guild_id: webhook.guild_id, channel_id: webhook.channel_id };
		context.world.emit({ type: 'WEBHOOKS_UPDATE', guildId: webhook.guild_id, data: at });
		return noContent;
	}),
];
