// Messages of a channel. Discord: Message.
import { deleteMessages, editMessage, sendMessage, startTyping } from '../../world/changes/messages.js';
import type { Message } from '../../world/model.js';
import { found, noContent, ok, RestError } from '../answer.js';
import { type Route, type RouteContext, route } from '../route.js';
import { channelOf } from './channels.js';

const fiveInFiveSeconds = { limit: { requests: 5, perMs: 5000 } };

function messageOf(context: RouteContext): Message {
	const channel = channelOf(context);
	return found(context.world.messages.get(channel.id, context.params.messageId as string), 'message');
}

/** The fields of a message that a bot may set, with its files as attachments. */
function messageFields({ world, body, files }: RouteContext): Record<string, unknown> {
	const { content: _, message_reference: reference, ...fields } = body;
	const attachments = files.map((file) => ({
		id: world.ids.next(),
		filename: file.name,
		size: file.sizeBytes,
		content_type: file.contentType,
		url: `https://cdn.invalid/${file.name}`,
		proxy_url: `https://cdn.invalid/${file.name}`,
	}));
	return {
		...fields,
		attachments,
		...(reference !== undefined && { message_reference: reference, type: 19 }),
	};
}

/** Discord: 50006 for a message with nothing in it. */
function requireSomething({ body, files }: RouteContext): void {
	const lists = [body.embeds, body.components, body.sticker_ids];
	const something = body.content || body.poll || files.length > 0 || lists.some((list) => Array.isArray(list) && list.length > 0);
	if (!something) throw new RestError(400, 50006, 'Cannot send an empty message');
	if (typeof body.content === 'string' && body.content.length > 2000) {
		throw new RestError(400, 50035, 'Invalid Form Body', {
			errors: { content: { _errors: [{ code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 2000 or fewer in length.' }] } },
		});
	}
}

export const messageRoutes: readonly Route[] = [
	route('GET', '/channels/:channelId/messages', (context) => {
		const { query, world } = context;
		const before = query.get('before');
		const after = query.get('after');
		const limit = Math.min(100, Number(query.get('limit') ?? 50) || 50);
		const messages = world.messages.list(channelOf(context).id).filter(({ id }) => {
			return (!before || BigInt(id) < BigInt(before)) && (!after || BigInt(id) > BigInt(after));
		});
		return ok(after ? messages.slice(-limit) : messages.slice(0, limit));
	}),
	route('GET', '/channels/:channelId/messages/:messageId', (context) => ok(messageOf(context))),
	route(
		'POST',
		'/channels/:channelId/messages',
		(context) => {
			const { world, body } = context;
			const channelId = channelOf(context).id;
			requireSomething(context);
			const content = typeof body.content === 'string' ? body.content : '';
			return ok(sendMessage(world, { channelId, author: world.bot, content, fields: messageFields(context) }));
		},
		fiveInFiveSeconds,
	),
	route(
		'PATCH',
		'/channels/:channelId/messages/:messageId',
		(context) => {
			const message = messageOf(context);
			if (message.author.id !== context.world.bot.id)
				throw new RestError(403, 50005, 'Cannot edit a message authored by another user');
			return ok(editMessage(context.world, message, context.body));
		},
		fiveInFiveSeconds,
	),
	route('DELETE', '/channels/:channelId/messages/:messageId', (context) => {
		deleteMessages(context.world, channelOf(context), [messageOf(context).id]);
		return noContent;
	}),
	route('POST', '/channels/:channelId/messages/bulk-delete', (context) => {
		const ids = Array.isArray(context.body.messages) ? context.body.messages.map(String) : [];
		if (ids.length < 2 || ids.length > 100) throw new RestError(400, 50016, 'Provided too few or too many messages to delete.');
		deleteMessages(context.world, channelOf(context), ids);
		return noContent;
	}),
	route('POST', '/channels/:channelId/messages/:messageId/crosspost', (context) => {
		return ok(editMessage(context.world, messageOf(context), { flags: 1 }));
	}),
	route('POST', '/channels/:channelId/typing', (context) => {
		startTyping(context.world, channelOf(context), context.world.bot.id);
		return noContent;
	}),
];
