// Reads JSON in which ids may be numbers: some clients (discord.py) send them so, and above 2^53 JSON.parse would change them.

/** A whole string, which is left alone, or a whole number of 16 digits or more. */
const stringOrLongNumber = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])\d{16,}(?![\d.eE])/g;
const maybeLongNumber = /[[:,\s]\d{16,}/;

/** `JSON.parse`, but whole numbers of 16 digits or more become strings of their digits. Throws on what is no JSON. */
export function parseJsonKeepingIds(text: string): unknown {
	if (!maybeLongNumber.test(text)) return JSON.parse(text);
	return JSON.parse(text.replace(stringOrLongNumber, (match) => (match.startsWith('"') ? match : `"${match}"`)));
}
