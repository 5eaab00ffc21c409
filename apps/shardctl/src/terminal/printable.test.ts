import { describe, expect, it } from 'vitest';
import { printable, printableBotLine, printableLine } from './printable.js';

const esc = '\u001b';
const colours = new RegExp(`${esc}\\[[\\d;:]*m`, 'g');

describe('finding 12: text for a terminal', () => {
	it.each([
		['a title', `${esc}]0;PWNED\u0007 hi`, '\\u001b]0;PWNED\\u0007 hi'],
		['the clipboard', `${esc}]52;c;Y3VybA==\u0007`, '\\u001b]52;c;Y3VybA==\\u0007'],
		['a wiped screen', `${esc}[2J`, '\\u001b[2J'],
		['a moved cursor', `${esc}[3A\rforged`, '\\u001b[3A\\u000dforged'],
		['C1 controls', '\u009b2J\u009d0;x\u009c', '\\u009b2J\\u009d0;x\\u009c'],
		['a reversed direction', 'file \u202egpj.exe\u2066', 'file \\u202egpj.exe\\u2066'],
		['a link', `${esc}]8;;http://evil${esc}\\text`, '\\u001b]8;;http://evil\\u001b\\text'],
		['a device query', `${esc}[6n${esc}P+q${esc}\\`, '\\u001b[6n\\u001bP+q\\u001b\\'],
		['a backspace and a delete', 'a\b\u007f', 'a\\u0008\\u007f'],
		['colours, which stay', `${esc}[1;38:5:1mred${esc}[0m`, `${esc}[1;38:5:1mred${esc}[0m`],
		['lines and tabs, which stay', 'a\n\tb', 'a\n\tb'],
		['letters of any script', 'grüße 😀 שלום', 'grüße 😀 שלום'],
	])('%s', (_what, text, shown) => {
		expect(printable(text)).toBe(shown);
	});

	/** Every character of the first planes, in chunks. */
	const everything = Array.from({ length: 0x30 }, (_, block) =>
		Array.from({ length: 0x100 }, (__, index) => String.fromCodePoint(block * 0x100 + index)).join(''),
	);

	it('keeps JSON equal', () => {
		for (const text of everything) expect(JSON.parse(printable(JSON.stringify({ text }, null, 2)))).toEqual({ text });
	});

	it('passes only newlines, tabs and colours, after any prefix', () => {
		for (const before of ['', esc, `${esc}[`, `${esc}[31m`, `${esc}[31`]) {
			for (const text of everything) {
				const shown = printable(before + Array.from(text).join(before));
				expect(shown.replace(colours, '')).not.toMatch(/(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
			}
		}
	});

	it('returns a part of a sentence as one line without colours', () => {
		expect(printableLine(`x\n12:00 ● fleet ready${esc}[31m`)).toBe('x\\n12:00 ● fleet ready\\u001b[31m');
	});

	it("resets a bot's colours at the end of the line", () => {
		expect(printableBotLine(`${esc}[31mred`)).toBe(`${esc}[31mred${esc}[0m`);
		expect(printableBotLine('plain')).toBe('plain');
	});
});
