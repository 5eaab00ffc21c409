// The text of a message between two nodes. What is inside a `data` message is JSON already, so it follows a line with the rest instead of being
// a string in JSON again.

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
	return `${JSON.stringify([from, to, a, b, n, more])}\n${text}`;
}

/** Undefined for what is no message of this form, as of another version. */
export function readMessage(text: string): LinkMessage | undefined {
	try {
		if (text[0] !== '[') return JSON.parse(text) as LinkMessage;
		const end = text.indexOf('\n');
		const [from, to, a, b, n, more] = JSON.parse(text.slice(0, end)) as [string, string, string, string, number, boolean];
		return { kind: 'data', from, to, a, b, n, more, text: text.slice(end + 1) };
	} catch {
		return undefined;
	}
}
