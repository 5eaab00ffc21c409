// What a handler has thrown, and what is written about it, as texts that are safe to keep and to show. Pure.
import { describeValue } from '@shardctl/core';

const longest = 1000;

/** Whatever was thrown, as a text of bounded length. Never throws. */
export function reasonOf(thrown: unknown): string {
	const text = textOf(thrown);
	return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

function textOf(thrown: unknown): string {
	try {
		if (thrown instanceof Error) return String(thrown.message) || String(thrown.name);
		return typeof thrown === 'string' && thrown !== '' ? thrown : `the handler failed with ${describeValue(thrown)}`;
	} catch {
		return 'the handler failed with what cannot be shown';
	}
}

/** In one line, and with nothing that a terminal obeys. */
export function oneLine(text: string): string {
	return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, (control) =>
		control === '\n' ? '\\n' : `\\u${(control.codePointAt(0) as number).toString(16).padStart(4, '0')}`,
	);
}
