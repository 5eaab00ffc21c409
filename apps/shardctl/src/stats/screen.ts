// The terminal as a full screen: entered and left cleanly, redrawn as a whole without flicker.
import { printable } from '../terminal/printable.js';

export interface ScreenSize {
	width: number;
	height: number;
}

export interface Screen {
	/** Shows these lines; lines beyond the bottom are left out. */
	draw(lines: (size: ScreenSize) => readonly string[]): void;
	onKey(listener: (key: string) => void): void;
	onResize(listener: () => void): void;
	/** Restores the terminal. */
	close(): void;
}

const esc = '\u001b[';
const enter = `${esc}?1049h${esc}?25l`;
const leave = `${esc}?25h${esc}?1049l`;
/** Terminals that support synchronised output show the whole frame at once; others ignore the two. */
const beginFrame = `${esc}?2026h`;
const endFrame = `${esc}?2026l`;

/** Takes over standard output, and standard input if it is a terminal. */
export function openScreen(): Screen {
	const { stdin, stdout } = process;
	const undo: (() => void)[] = [];
	stdout.write(enter);
	// Also after an uncaught exception: a terminal that stays in this mode is unusable.
	const restore = () => stdout.write(leave);
	process.once('exit', restore);
	undo.push(() => {
		process.off('exit', restore);
		restore();
	});
	return {
		draw(lines) {
			const size = { width: stdout.columns || 80, height: stdout.rows || 24 };
			const shown = lines(size).slice(0, size.height);
			// Each line is overwritten and its rest cleared. Clearing the whole screen would flicker.
			const body = shown.map((line) => `${printable(line)}${esc}K`).join('\r\n');
			stdout.write(`${beginFrame}${esc}H${body}${esc}J${endFrame}`);
		},
		onKey(listener) {
			if (!stdin.isTTY) return;
			stdin.setRawMode(true);
			stdin.setEncoding('utf8');
			stdin.on('data', listener);
			stdin.resume();
			undo.push(() => {
				stdin.off('data', listener);
				stdin.setRawMode(false);
				stdin.pause();
			});
		},
		onResize(listener) {
			stdout.on('resize', listener);
			undo.push(() => stdout.off('resize', listener));
		},
		close() {
			for (const each of undo.splice(0).reverse()) each();
		},
	};
}
