// Does what a person would do in Discord, and shows what the bot answers.

import { printOut } from '../terminal/print.js';
import { type InteractionAnswer, type SimulatorClient, simulatorClient } from './simulator-client.js';
import type { SimulatorTarget } from './simulator-target.js';

export interface ActOptions extends SimulatorTarget {
	guild?: string;
	channel?: string;
	user?: string;
	wait: number;
	json?: boolean;
}

/** The callbacks that announce an answer, or an update of the message. */
const deferredMessage = 5;
const deferredUpdate = 6;
const pollMs = 50;

/** Sends a message as a member. */
export async function say(content: string, { guild, channel, user, json, ...target }: ActOptions): Promise<void> {
	const id = await simulatorClient(target).emit({ type: 'MESSAGE_CREATE', ...scene({ guild, channel, user }, { content }) });
	printOut(json ? `${JSON.stringify({ id }, null, 2)}\n` : `sent message ${id}\n`);
}

/** Interacts with the bot as a member, and prints its answer. */
export async function interact(
	draft: Record<string, unknown>,
	{ guild, channel, user, wait, json, ...target }: ActOptions,
): Promise<void> {
	const client = simulatorClient(target);
	const id = await client.emit({ type: 'INTERACTION_CREATE', ...scene({ guild, channel, user }, draft) });
	const answer = id === null ? undefined : await answerTo(client, id, wait);
	printOut(json ? `${JSON.stringify({ id, ...answer }, null, 2)}\n` : `${describeAnswer(answer)}\n`);
}

function scene(
	{ guild, channel, user }: { guild?: string | undefined; channel?: string | undefined; user?: string | undefined },
	data: Record<string, unknown>,
): { data: Record<string, unknown>; guildId?: string; userId?: string } {
	return {
		data: { ...data, ...(channel !== undefined && { channel_id: channel }) },
		...(guild !== undefined && { guildId: guild }),
		...(user !== undefined && { userId: user }),
	};
}

/** The answer, also one that was announced (deferred) and takes a while; what there is after `waitMs`. */
async function answerTo(client: SimulatorClient, id: string, waitMs: number): Promise<InteractionAnswer> {
	const end = performance.now() + waitMs;
	for (;;) {
		const answer = await client.interaction(id);
		const isWaiting = isDeferred(answer) && !answer.followed;
		if ((answer.callbackType !== null && !isWaiting) || performance.now() >= end) return answer;
		await new Promise((resolve) => setTimeout(resolve, pollMs));
	}
}

function isDeferred({ callbackType }: InteractionAnswer): boolean {
	return callbackType === deferredMessage || callbackType === deferredUpdate;
}

/** One line, and one for each thing that can be pressed or filled in. */
export function describeAnswer(answer: InteractionAnswer | undefined): string {
	if (!answer || answer.callbackType === null) return 'the bot did not answer';
	const after = `after ${Math.round(answer.answeredAfterMs ?? 0)} ms`;
	if (answer.modal)
		return [
			`the bot opened the form "${printable(answer.modal.title ?? '')}" ${after}`,
			...texts(answer.modal.components).map(printable),
			...inputs(answer.modal.components),
		].join('\n');
	if (isDeferred(answer) && !answer.followed) {
		const what = answer.callbackType === deferredMessage ? 'an answer' : 'an update';
		return `the bot announced ${what} ${after}, which has not followed yet (see --wait)`;
	}
	if (!answer.message) return answer.followed ? 'the bot deleted its answer' : `the bot acknowledged ${after}`;
	const { content = '', embeds = [], components } = answer.message;
	const text = [content, ...texts(components)].filter(Boolean).join('\n');
	const what = [printable(text), embeds.length > 0 ? `[${embeds.length} embed${embeds.length > 1 ? 's' : ''}]` : ''];
	return [`the bot answered ${after}: ${what.filter(Boolean).join(' ') || '[no text]'}`, ...inputs(components)].join('\n');
}

interface Component {
	/** The text of a text display. */
	content?: unknown;
	custom_id?: string;
	label?: string;
	components?: Component[];
	accessory?: Component;
	component?: Component;
}

function texts(components: unknown): string[] {
	return flat(components).flatMap(({ content }) => (typeof content === 'string' ? [content] : []));
}

function inputs(components: unknown): string[] {
	return flat(components).flatMap(({ custom_id, label }) => {
		if (custom_id === undefined) return [];
		return [`  ${printable(custom_id)}${label === undefined ? '' : `  ${printable(label)}`}`];
	});
}

/** Every component, however deep it is nested: rows, sections with an accessory, containers, labels of forms. */
function flat(components: unknown): Component[] {
	if (!Array.isArray(components)) return [];
	return (components as Component[]).flatMap((component) => [
		component,
		...flat(component.components),
		...flat([component.accessory, component.component].filter((inner) => inner !== undefined)),
	]);
}

/** Without what a terminal would obey: control characters and invisible marks, but for line ends and the joiner of emoji. */
function printable(text: string): string {
	return text.replace(/(?![\n\t\u200d])[\p{Cc}\p{Cf}]/gu, '�');
}
