// Responses to interactions, and follow-ups. Discord: Receiving and Responding to Interactions.
import { answerWithMessage } from '../../world/changes/interactions.js';
import { deleteMessages, editMessage } from '../../world/changes/messages.js';
import type { Modal } from '../../world/components.js';
import { interactionAnswerWithinMs, type PendingInteraction } from '../../world/interaction-book.js';
import type { Message } from '../../world/model.js';
import { found, noContent, ok, type RestAnswer, RestError, unknown } from '../answer.js';
import { queryFlag } from '../query-flag.js';
import { type Route, type RouteContext, type RouteOptions, route } from '../route.js';
import { runWebhook } from './webhooks.js';

const interactionEndpoint: RouteOptions = { open: true, exemptFromGlobal: true };

/** Types of a callback. */
const callback = {
	pong: 1,
	message: 4,
	deferredMessage: 5,
	deferredUpdate: 6,
	update: 7,
	autocomplete: 8,
	modal: 9,
	launch: 12,
} as const;
const ephemeralFlag = 1 << 6;
const loadingFlag = 1 << 7;

function hasFlag({ flags }: Message, flag: number): boolean {
	return (Number(flags ?? 0) & flag) !== 0;
}

function respond(context: RouteContext): RestAnswer {
	const { world, params, body, query } = context;
	const nowMs = world.clock.monotonic();
	const interaction = found(world.interactions.get(params.interactionId as string, params.token as string, nowMs), 'interaction');
	if (interaction.respondedAtMs !== null) throw new RestError(400, 40060, 'Interaction has already been acknowledged.');
	if (nowMs - interaction.createdAtMs > interactionAnswerWithinMs) throw unknown('interaction');
	const type = Number(body.type);
	if (!Object.values<number>(callback).includes(type)) throw new RestError(400, 50035, 'Invalid Form Body');
	interaction.respondedAtMs = nowMs;
	interaction.callbackType = type;
	world.interactions.counts.answered++;
	const data = (body.data ?? {}) as Record<string, unknown>;
	if (type === callback.modal) interaction.modal = data as unknown as Modal;
	if (type === callback.message) interaction.message = answerWithMessage(world, interaction, data);
	if (type === callback.deferredMessage) {
		interaction.message = answerWithMessage(world, interaction, { ...data, flags: Number(data.flags ?? 0) | loadingFlag });
	}
	if (type === callback.update && interaction.message) interaction.message = editMessage(world, interaction.message, data);
	context.noteInteraction({ interactionId: interaction.id, callbackType: type, afterMs: nowMs - interaction.createdAtMs });
	if (!queryFlag(query, 'with_response')) return noContent;
	const message = interaction.message;
	return ok({
		interaction: {
			id: interaction.id,
			type: interaction.type,
			...(message && {
				response_message_id: message.id,
				response_message_loading: hasFlag(message, loadingFlag),
				response_message_ephemeral: hasFlag(message, ephemeralFlag),
			}),
		},
		...(message && { resource: { type, message } }),
	});
}

function interactionOf({ world, params }: RouteContext): PendingInteraction {
	return found(world.interactions.byToken(params.token as string, world.clock.monotonic()), 'webhook');
}

function messageOf(context: RouteContext): { interaction: PendingInteraction; message: Message } {
	const interaction = interactionOf(context);
	const { messageId } = context.params;
	const message =
		messageId === '@original' ? interaction.message : context.world.messages.get(interaction.channelId, messageId as string);
	return { interaction, message: found(message, 'message') };
}

function follow(interaction: PendingInteraction, message: Message | null): void {
	interaction.message = message;
	interaction.followed = true;
}

/** Discord, Create Followup Message: right after a deferred answer it edits that one, whose ephemeral flag stays. */
function followUp(context: RouteContext): Message {
	const { world, body } = context;
	const interaction = interactionOf(context);
	const { callbackType, followed, message } = interaction;
	if (callbackType === callback.deferredMessage && !followed && message) {
		follow(interaction, editMessage(world, message, { ...body, flags: Number(message.flags ?? 0) & ~loadingFlag }));
		return interaction.message as Message;
	}
	const sent = answerWithMessage(world, interaction, body);
	if (callbackType === callback.deferredUpdate && !followed) follow(interaction, sent);
	return sent;
}

const original = '/webhooks/:applicationId/:token/messages/:messageId';

export const interactionRoutes: readonly Route[] = [
	route('POST', '/interactions/:interactionId/:token/callback', respond, interactionEndpoint),
	route(
		'POST',
		'/webhooks/:applicationId/:token',
		(context) => {
			const run = runWebhook(context, context.params.applicationId as string);
			if (run) return run;
			return ok(followUp(context));
		},
		interactionEndpoint,
	),
	route('GET', original, (context) => ok(messageOf(context).message), interactionEndpoint),
	route(
		'PATCH',
		original,
		(context) => {
			const { interaction, message } = messageOf(context);
			const edited = editMessage(context.world, message, { ...context.body, flags: Number(message.flags ?? 0) & ~loadingFlag });
			if (interaction.message?.id === message.id) follow(interaction, edited);
			return ok(edited);
		},
		interactionEndpoint,
	),
	route(
		'DELETE',
		original,
		(context) => {
			const { interaction, message } = messageOf(context);
			const channel = found(context.world.channel(message.channel_id), 'channel');
			deleteMessages(context.world, channel, [message.id]);
			if (interaction.message?.id === message.id) follow(interaction, null);
			return noContent;
		},
		interactionEndpoint,
	),
];
