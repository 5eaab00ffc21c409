// Channels and threads. Discord: Channel.
import { changeThreadMembers, createThread, deleteChannel, updateChannel } from '../../world/changes/channels.js';
import { sendMessage } from '../../world/changes/messages.js';
import { type Channel, channelTypes, isThread } from '../../world/model.js';
import { found, noContent, ok, type RestAnswer, RestError } from '../answer.js';
import { type Route, type RouteContext, route } from '../route.js';

export function channelOf({ world, params }: RouteContext): Channel {
	return found(world.channel(params.channelId as string), 'channel');
}

function threadOf(context: RouteContext): Channel {
	const thread = channelOf(context);
	if (!isThread(thread)) throw new RestError(400, 50024, 'Cannot execute action on this channel type');
	return thread;
}

function guildIdOf(context: RouteContext, channel: Channel): string {
	const guildId = context.world.guildIdOfChannel(channel.id);
	if (guildId === undefined) throw new RestError(400, 50024, 'Cannot execute action on this channel type');
	return guildId;
}

function startThread(context: RouteContext): RestAnswer {
	const { world, body, params } = context;
	const parent = channelOf(context);
	const { messageId } = params;
	const message = messageId === undefined ? undefined : found(world.messages.get(parent.id, messageId), 'message');
	const thread = createThread(world, guildIdOf(context, parent), {
		parent,
		fields: body,
		ownerId: world.bot.id,
		...(message && { message }),
	});
	// A post of a forum begins with its message.
	const first = body.message as Record<string, unknown> | undefined;
	if (!thread || parent.type !== channelTypes.forum || !first) return ok(thread, 201);
	const content = typeof first.content === 'string' ? first.content : '';
	return ok({ ...thread, message: sendMessage(world, { channelId: thread.id, author: world.bot, content }) }, 201);
}

function threadMember(context: RouteContext): string {
	return context.params.userId === '@me' ? context.world.bot.id : (context.params.userId as string);
}

export const channelRoutes: readonly Route[] = [
	route('GET', '/channels/:channelId', (context) => ok(channelOf(context))),
	route('PATCH', '/channels/:channelId', (context) =>
		ok(found(updateChannel(context.world, channelOf(context).id, context.body), 'channel')),
	),
	route('DELETE', '/channels/:channelId', (context) => {
		const channel = channelOf(context);
		return ok(deleteChannel(context.world, channel.id) ?? channel);
	}),
	route('PUT', '/channels/:channelId/permissions/:overwriteId', (context) => {
		const channel = channelOf(context);
		const overwrite = { allow: '0', deny: '0', type: 0, ...context.body, id: context.params.overwriteId };
		const others = ((channel.permission_overwrites as { id: string }[] | undefined) ?? []).filter(
			({ id }) => id !== overwrite.id,
		);
		updateChannel(context.world, channel.id, { permission_overwrites: [...others, overwrite] });
		return noContent;
	}),
	route('DELETE', '/channels/:channelId/permissions/:overwriteId', (context) => {
		const channel = channelOf(context);
		const overwrites = (channel.permission_overwrites as { id: string }[] | undefined) ?? [];
		updateChannel(context.world, channel.id, {
			permission_overwrites: overwrites.filter(({ id }) => id !== context.params.overwriteId),
		});
		return noContent;
	}),
	route('GET', '/channels/:channelId/invites', (context) => ok(channelOf(context) && [])),
	route('GET', '/channels/:channelId/webhooks', (context) => {
		const { id } = channelOf(context);
		return ok([...context.world.webhooks.values()].filter((webhook) => webhook.channel_id === id));
	}),
	route('POST', '/channels/:channelId/threads', startThread),
	route('POST', '/channels/:channelId/messages/:messageId/threads', startThread),
	route('GET', '/channels/:channelId/thread-members', (context) => {
		return ok([{ id: threadOf(context).id, user_id: context.world.bot.id, join_timestamp: new Date(0).toISOString(), flags: 0 }]);
	}),
	route('PUT', '/channels/:channelId/thread-members/:userId', (context) => {
		changeThreadMembers(context.world, threadOf(context), { added: threadMember(context) });
		return noContent;
	}),
	route('DELETE', '/channels/:channelId/thread-members/:userId', (context) => {
		changeThreadMembers(context.world, threadOf(context), { removed: threadMember(context) });
		return noContent;
	}),
];
