// Sentences and lists in the width of a terminal: what an operator must read is continued on the next line, not cut. Pure.
import { clip, textWidth } from './table.js';

/** A message of a bot can be very long. */
const mostLines = 4;

/** A sentence without colours in lines, those after the first indented; of a very long one the rest is cut. */
export function wrap(sentence: string, width: number, indent = '  '): string[] {
	const [first = '', ...words] = sentence.split(/ (?=\S)/);
	const lines = [first];
	for (const word of words) {
		const last = lines.at(-1) as string;
		if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
		else if (lines.length < mostLines) lines.push(indent + word);
		else {
			lines[lines.length - 1] = `${last} …`;
			break;
		}
	}
	return lines.map((line) => clip(line, width));
}

/** Parts, which may have colours, with a separator between those on one line. */
export function fold(parts: readonly string[], width: number, separator = ' · '): string[] {
	const lines: string[] = [];
	for (const part of parts) {
		const last = lines.at(-1);
		if (last !== undefined && textWidth(last) + textWidth(separator) + textWidth(part) <= width) {
			lines[lines.length - 1] = last + separator + part;
		} else lines.push(part);
	}
	return lines.map((line) => clip(line, width));
}
