// The text of a message between two nodes. What is inside a `data` message is JSON already, so it follows a line with the rest, in words,
// instead of being a string in JSON again. Names of nodes and random values have no spaces.

/** What is inside a sealed message. */
export type LinkMessage =
	| { readonly kind: 'hello'; readonly from: string; readonly to: string; readonly a: string }
	| { readonly kind: 'welcome'; readonly from: string; readonly to: string; readonly a: string; readonly b: string }
	/** The sender has ended this link, or does not know it (any more). */
	| { readonly kind: 'end'; readonly from: string; readonly to: string; readonly a: string; readonly b: string }
	| DataMessage;

/** `n` counts from 1 in each direction; a long message is sent in parts, of which the last has `more: false`. */
export interface DataMessage {
	readonly kind: 'data';
	readonly from: string;
	readonly to: string;
	readonly a: string;
	readonly b: string;
	readonly n: number;
	readonly more: boolean;
	readonly text: string;
}

export function writeMessage(message: LinkMessage): string {
	if (message.kind !== 'data') return JSON.stringify(message);
	const { from, to, a, b, n, more, text } = message;
	return `${from} ${to} ${a} ${b} ${n} ${more ? 'more' : 'last'}\n${text}`;
}

/** Undefined for what is no message of this form, as of another version. */
export function readMessage(text: string): LinkMessage | undefined {
	try {
		const end = text.indexOf('\n');
		if (end === -1) return JSON.parse(text) as LinkMessage;
		const [from, to, a, b, n, more] = text.slice(0, end).split(' ') as [string, string, string, string, string, string];
		return { kind: 'data', from, to, a, b, n: Number(n), more: more === 'more', text: text.slice(end + 1) };
	} catch {
		return undefined;
	}
}
