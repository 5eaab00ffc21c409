// Reactions and pins. Discord: Message.
import { addReaction, clearReactions, parseEmoji, removeReaction, setPinned } from '../../world/changes/reactions.js';
import type { Message } from '../../world/model.js';
import { found, noContent, ok, unknown } from '../answer.js';
import { type Route, type RouteContext, route } from '../route.js';
import { channelOf } from './channels.js';

function messageOf(context: RouteContext): Message {
	return found(context.world.messages.get(channelOf(context).id, context.params.messageId as string), 'message');
}

function userIdOf({ world, params }: RouteContext): string {
	return params.userId === '@me' ? world.bot.id : (params.userId as string);
}

const reactions = '/channels/:channelId/messages/:messageId/reactions';
const pins = '/channels/:channelId/pins';
const messagePins = '/channels/:channelId/messages/pins';
const slow = { limit: { requests: 1, perMs: 250 } };

function pinRoutes(base: string): Route[] {
	return [
		route('PUT', `${base}/:messageId`, (context) => {
			setPinned(context.world, messageOf(context), true);
			return noContent;
		}),
		route('DELETE', `${base}/:messageId`, (context) => {
			setPinned(context.world, messageOf(context), false);
			return noContent;
		}),
	];
}

function pinned(context: RouteContext): Message[] {
	return context.world.messages.list(channelOf(context).id).filter((message) => message.pinned === true);
}

export const reactionRoutes: readonly Route[] = [
	route(
		'PUT',
		`${reactions}/:emoji/:userId`,
		(context) => {
			addReaction(context.world, messageOf(context), parseEmoji(context.params.emoji as string), userIdOf(context));
			return noContent;
		},
		slow,
	),
	route(
		'DELETE',
		`${reactions}/:emoji/:userId`,
		(context) => {
			const emoji = parseEmoji(context.params.emoji as string);
			if (!removeReaction(context.world, messageOf(context), emoji, userIdOf(context))) throw unknown('emoji');
			return noContent;
		},
		slow,
	),
	route('GET', `${reactions}/:emoji`, (context) => ok(messageOf(context) && [])),
	route('DELETE', `${reactions}/:emoji`, (context) => {
		clearReactions(context.world, messageOf(context), parseEmoji(context.params.emoji as string));
		return noContent;
	}),
	route('DELETE', reactions, (context) => {
		clearReactions(context.world, messageOf(context));
		return noContent;
	}),
	route('GET', pins, (context) => ok(pinned(context))),
	route('GET', messagePins, (context) => {
		return ok({ items: pinned(context).map((message) => ({ pinned_at: message.timestamp, message })), has_more: false });
	}),
	...pinRoutes(pins),
	...pinRoutes(messagePins),
];
