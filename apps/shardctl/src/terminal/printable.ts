// What may reach a terminal. Names, messages and errors come from Discord, from bots and from other processes, and a terminal obeys
// control characters: they set its title, write the clipboard, move the cursor over lines that are there already. Every command prints
// through print.ts, which filters with this.

/** C0 and C1 but newline and tab, the controls of writing direction, and Unicode's own line ends. */
const controls = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;
/** Colours, which bots write on purpose, or a single control. */
const colourOrControl = new RegExp(`(\u001b\\[[\\d;:]*m)|${controls.source}`, 'gu');
const colourReset = '\u001b[0m';

/**
 * The text with every control as `\u001b`, but for newlines, tabs and colours. JSON stays the same JSON: it has no raw control below
 * U+0020, and the others are written as JSON escapes.
 */
export function printable(text: string): string {
	if (!controls.test(text)) return text;
	return text.replace(colourOrControl, (control, colour?: string) => colour ?? escaped(control));
}

/** As {@link printable}, and in one line without colours: for a part of a sentence or of a table. */
export function printableLine(text: string): string {
	return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, (control) => (control === '\n' ? '\\n' : escaped(control)));
}

/** A line that a bot wrote: its colours end with it. */
export function printableBotLine(line: string): string {
	return line.includes('\u001b[') ? `${printable(line)}${colourReset}` : printable(line);
}

function escaped(control: string): string {
	return `\\u${(control.codePointAt(0) as number).toString(16).padStart(4, '0')}`;
}
