// Components of messages and modals, as far as the simulator reads them. Discord: Component Reference.
import type { Message } from './model.js';

export const componentTypes = {
	row: 1,
	button: 2,
	stringSelect: 3,
	textInput: 4,
	userSelect: 5,
	roleSelect: 6,
	mentionableSelect: 7,
	channelSelect: 8,
} as const;

export interface MessageComponent {
	type: number;
	id?: number;
	custom_id?: string;
	label?: string;
	disabled?: boolean;
	value?: string;
	values?: string[];
	options?: { value: string; label: string }[];
	/** Of rows, sections and containers. */
	components?: MessageComponent[];
	/** Of a section. */
	accessory?: MessageComponent;
	/** Of a label in a modal. */
	component?: MessageComponent;
}

export interface ComponentMatch {
	message: Message;
	component: MessageComponent;
}

/** A modal as the bot sent it. */
export interface Modal {
	custom_id: string;
	components: MessageComponent[];
}

/** Every component of a message, however deep it is nested. */
export function messageComponents({ components }: Message): MessageComponent[] {
	return flat(Array.isArray(components) ? (components as MessageComponent[]) : []);
}

function flat(components: readonly MessageComponent[]): MessageComponent[] {
	return components.flatMap((component) => [
		component,
		...flat(component.components ?? []),
		...flat([component.accessory, component.component].filter((inner) => inner !== undefined)),
	]);
}
