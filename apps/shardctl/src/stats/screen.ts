// The terminal as a screen: entered and left cleanly, redrawn as a whole without flicker.

export interface ScreenSize {
	width: number;
	height: number;
}

export interface Screen {
	/** Shows these lines; what does not fit below is left out. */
	draw(lines: (size: ScreenSize) => readonly string[]): void;
	onKey(listener: (key: string) => void): void;
	onResize(listener: () => void): void;
	/** Gives the terminal back as it was. */
	close(): void;
}

const esc = '\u001b[';
const enter = `${esc}?1049h${esc}?25l`;
const leave = `${esc}?25h${esc}?1049l`;
/** Terminals that know these two show what is between them at once; others ignore them. */
const beginFrame = `${esc}?2026h`;
const endFrame = `${esc}?2026l`;

/** Takes over standard output, and standard input where it is a terminal. */
export function openScreen(): Screen {
	const { stdin, stdout } = process;
	const undo: (() => void)[] = [];
	stdout.write(enter);
	// Also when something throws past everybody: a terminal left in this mode is of no use to anyone.
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
			// Each line is overwritten and its rest cleared, never the whole screen: that is what flickers.
			const body = shown.map((line) => `${line}${esc}K`).join('\r\n');
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
