// Builds the data of an interaction from what a person would name: a command and its options, a button, a form's fields. Ids, types and
// resolved objects are looked up in the world. Discord: Receiving and Responding to Interactions, "Interaction Data".
import { ShardctlError } from '@shardctl/core';
import { type ComponentMatch, componentTypes, type MessageComponent, type Modal, messageComponents } from './components.js';
import type { Guild } from './guild.js';
import { findChannel, findMentionable, findRole, findUser, Resolved } from './lookup.js';
import type { Command, Message } from './model.js';
import type { World } from './world.js';

/** What a person gives of an interaction, as fields of `data` in `emit('INTERACTION_CREATE', data)`. */
export interface InteractionDraft {
	/** Of a command, with its subcommands: `config set`. Left out: any command that the bot has registered. */
	name?: string;
	/** Name → value; users, channels and roles by id or by name. A list is sent as it is. */
	options?: Readonly<Record<string, unknown>> | readonly unknown[];
	/** Of a command in the context menu: the user or the message, by id or (users) by name. */
	target?: string;
	/** Autocomplete: the option that is being typed. */
	focused?: string;
	/** Of a component, or of a modal; a component is found by its label as well. */
	custom_id?: string;
	/** The message of the component (default: the newest that has it). */
	message_id?: string;
	/** What is chosen in a select menu, by value, label, id or name. */
	values?: readonly string[];
	/** What is filled into a modal: custom id or label → text. */
	fields?: Readonly<Record<string, unknown>>;
}

interface Place {
	world: World;
	guild: Guild | undefined;
}

const optionTypes = {
	subcommand: 1,
	group: 2,
	string: 3,
	integer: 4,
	boolean: 5,
	user: 6,
	channel: 7,
	role: 8,
	mentionable: 9,
	number: 10,
	attachment: 11,
} as const;

interface OptionSchema {
	type: number;
	name: string;
	options?: OptionSchema[];
}

/** The data of using a command, or of typing one (autocomplete). */
export function commandUse({ world, guild }: Place, draft: InteractionDraft): Record<string, unknown> {
	const [name, ...path] = draft.name?.split(' ').filter(Boolean) ?? [];
	const command = registered(world, guild, name);
	const type = Number(command?.type ?? 1);
	const base = {
		id: command?.id ?? world.ids.next(),
		name: command?.name ?? name ?? 'ping',
		type,
		...(command?.guild_id !== undefined && { guild_id: command.guild_id }),
	};
	const resolved = new Resolved({ world, guild });
	if (type === 2 || type === 3)
		return { ...base, ...contextTarget({ world, guild }, type, draft, resolved), ...resolved.field() };
	if (Array.isArray(draft.options)) return { ...base, options: draft.options };
	const options = usedOptions({ world, guild }, { schema: (command?.options ?? []) as OptionSchema[], path, draft, resolved });
	return { ...base, options, ...resolved.field() };
}

function registered(world: World, guild: Guild | undefined, name: string | undefined): Command | undefined {
	const here = [...world.commands.values()].filter(({ guild_id: of }) => of === undefined || of === guild?.id);
	const named = here.filter((command) => name === undefined || command.name === name);
	return named.find(({ guild_id: of }) => of !== undefined) ?? named[0];
}

function contextTarget(
	{ world, guild }: Place,
	type: 2 | 3,
	{ target }: InteractionDraft,
	resolved: Resolved,
): { target_id: string } {
	if (type === 2) {
		const user = target === undefined ? guild?.members.stretchMember(0).user : findUser({ world, guild }, target);
		if (!user) throw problem('a user command needs a target: a user by id or name');
		return { target_id: resolved.user(user) };
	}
	const message = world.messages.newest(({ id }) => target === undefined || id === target);
	if (!message) throw problem(`there is no message${target === undefined ? ' yet' : ` ${target}`} for a message command`);
	return { target_id: resolved.message(message) };
}

function usedOptions(
	place: Place,
	{ schema, path, draft, resolved }: { schema: OptionSchema[]; path: string[]; draft: InteractionDraft; resolved: Resolved },
): unknown[] {
	const [next, ...rest] = path;
	if (next !== undefined) {
		const found = schema.find(({ name }) => name === next);
		const type = found?.type ?? (rest.length > 0 ? optionTypes.group : optionTypes.subcommand);
		return [{ name: next, type, options: usedOptions(place, { schema: found?.options ?? [], path: rest, draft, resolved }) }];
	}
	return Object.entries(draft.options ?? {}).map(([name, given]) => {
		const type = schema.find((option) => option.name === name)?.type ?? typeOf(given);
		const focused = draft.focused === name;
		// What is being typed may not be a number or a user yet.
		const value = focused ? String(given) : optionValue(place, { name, type, given, resolved });
		return { name, type, value, ...(focused && { focused }) };
	});
}

function typeOf(value: unknown): number {
	if (typeof value === 'boolean') return optionTypes.boolean;
	if (typeof value === 'number') return Number.isInteger(value) ? optionTypes.integer : optionTypes.number;
	return optionTypes.string;
}

function optionValue(
	place: Place,
	{ name, type, given, resolved }: { name: string; type: number; given: unknown; resolved: Resolved },
): unknown {
	const text = String(given);
	switch (type) {
		case optionTypes.integer:
		case optionTypes.number: {
			const number = Number(given);
			if (text.trim() === '' || Number.isNaN(number) || (type === optionTypes.integer && !Number.isInteger(number))) {
				throw problem(
					`option "${name}" takes ${type === optionTypes.integer ? 'a whole number' : 'a number'}, got ${JSON.stringify(given)}`,
				);
			}
			return number;
		}
		case optionTypes.boolean:
			if (given !== true && given !== false && !/^(true|false)$/.test(text)) {
				throw problem(`option "${name}" takes true or false, got ${JSON.stringify(given)}`);
			}
			return given === true || text === 'true';
		case optionTypes.user:
			return resolved.user(findUser(place, text));
		case optionTypes.channel:
			return resolved.channel(findChannel(place, text));
		case optionTypes.role:
			return resolved.role(findRole(place, text));
		case optionTypes.mentionable:
			return resolved.mentionable(findMentionable(place, text));
		case optionTypes.attachment:
			return resolved.attachment(text);
		default:
			return text;
	}
}

/** The component that is meant, and the message that it belongs to. */
export function pressedComponent(world: World, draft: InteractionDraft): { message: Message; component: MessageComponent } {
	const { custom_id: wanted, message_id: messageId } = draft;
	const matches = ({ custom_id: id, label }: MessageComponent) =>
		id !== undefined && (wanted === undefined || id === wanted || label === wanted);
	let match: ComponentMatch | undefined;
	world.messages.newest((message) => {
		if (message.author.id !== world.bot.id || (messageId !== undefined && message.id !== messageId)) return false;
		const component = messageComponents(message).find(matches);
		match = component && { message, component };
		return match !== undefined;
	});
	if (!match) {
		const where = messageId === undefined ? 'no message of the bot' : `message ${messageId}`;
		throw problem(
			`${where} ${messageId === undefined ? 'has' : 'is not known to have'} a component ${wanted === undefined ? 'to press' : `"${wanted}"`}`,
		);
	}
	if (match.component.disabled) throw problem(`the component "${match.component.custom_id}" is disabled`);
	return match;
}

/** The data of pressing a button or choosing from a select menu. */
export function componentUse(place: Place, component: MessageComponent, { values }: InteractionDraft): Record<string, unknown> {
	const base = {
		custom_id: component.custom_id,
		component_type: component.type,
		...(component.id !== undefined && { id: component.id }),
	};
	if (component.type === componentTypes.button) return base;
	const resolved = new Resolved(place);
	return { ...base, values: chosenValues(place, component, values, resolved), ...resolved.field() };
}

function chosenValues(
	place: Place,
	{ type, custom_id: id, options = [] }: MessageComponent,
	values: readonly string[] | undefined,
	resolved: Resolved,
): string[] {
	if (type === componentTypes.stringSelect) {
		return (values ?? [options[0]?.value ?? '']).map((wanted) => {
			const option = options.find(({ value, label }) => value === wanted || label === wanted);
			if (option) return option.value;
			throw problem(`the menu "${id}" has no option "${wanted}"; it has ${options.map(({ value }) => value).join(', ')}`);
		});
	}
	if (!values) throw problem(`the menu "${id}" needs values: users, roles or channels by id or name`);
	return values.map((wanted) => {
		switch (type) {
			case componentTypes.userSelect:
				return resolved.user(findUser(place, wanted));
			case componentTypes.roleSelect:
				return resolved.role(findRole(place, wanted));
			case componentTypes.channelSelect:
				return resolved.channel(findChannel(place, wanted));
			default:
				return resolved.mentionable(findMentionable(place, wanted));
		}
	});
}

/** The data of submitting a modal: its own layout with the fields filled in. */
export function modalSubmit(modal: Modal | undefined, { custom_id: id, fields = {} }: InteractionDraft): Record<string, unknown> {
	const rows = modal?.components ?? Object.keys(fields).map((name) => textRow(name));
	return { custom_id: modal?.custom_id ?? id ?? 'modal', components: rows.map((row) => filledIn(row, fields)) };
}

function textRow(name: string): MessageComponent {
	return { type: componentTypes.row, components: [{ type: componentTypes.textInput, custom_id: name }] };
}

function filledIn(
	component: MessageComponent,
	fields: Readonly<Record<string, unknown>>,
	label = component.label,
): MessageComponent {
	const { type, id } = component;
	const base = { type, ...(id !== undefined && { id }) };
	if (component.components) return { ...base, components: component.components.map((inner) => filledIn(inner, fields)) };
	// A label holds one input, which has no label of its own.
	if (component.component) return { ...base, component: filledIn(component.component, fields, component.label) };
	if (component.custom_id === undefined) return base;
	const given = fields[component.custom_id] ?? (label === undefined ? undefined : fields[label]);
	if (type === componentTypes.textInput)
		return { ...base, custom_id: component.custom_id, value: String(given ?? component.value ?? '') };
	return { ...base, custom_id: component.custom_id, values: given === undefined ? [] : [given].flat().map(String) };
}

function problem(text: string): ShardctlError {
	return new ShardctlError('OPTIONS_INVALID', text);
}
