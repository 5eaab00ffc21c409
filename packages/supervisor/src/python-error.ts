// Finds the error that ended a Python program in what it wrote to standard error. Python prints a traceback, whose frames are indented and
// whose last line at the left margin is the error; a syntax error of the program itself has a place and no traceback.
import type { UncaughtError } from './uncaught-error.js';

const header = /^Traceback \(most recent call last\):$/;
/** `  File "/bot/bot.py", line 12, in <module>` */
const frame = /^ {2}File "(.+)", line (\d+)/;
/** `discord.errors.LoginFailure: Improper token has been passed.` */
const errorLine = /^[A-Za-z_][\w.]*(?:: .*)?$/;
/** Of modules that came with Python or a package, and of what it runs frozen. */
const ofPackage = /site-packages|dist-packages|\/lib\/python|^<frozen/;

/** Undefined where there is none. What a program logs before it ends with the same exit code looks the same. */
export function findPythonError(lines: readonly string[]): UncaughtError | undefined {
	const lastFrame = lines.findLastIndex((line) => frame.test(line));
	// The message may have several lines; the first one behind the frames begins it.
	const end = lines.findIndex((line, index) => index > lastFrame && errorLine.test(line));
	if (lastFrame < 0 || end < 0) return undefined;
	const start = Math.max(
		0,
		lines.findLastIndex((line, index) => index < lastFrame && header.test(line)),
	);
	const frames = lines.slice(start, end).flatMap((line, index) => {
		const found = frame.exec(line);
		return found ? [{ file: found[1] as string, line: found[2], source: lines[start + index + 1] ?? '' }] : [];
	});
	// Where a library has thrown, the bot's own line that called it says more.
	const thrown = frames.findLast(({ file }) => !ofPackage.test(file)) ?? frames.at(-1);
	const source = thrown && /^ {4}\S/.test(thrown.source) ? thrown.source.trim() : undefined;
	return { text: (lines[end] as string).trim(), place: thrown && `${thrown.file}:${thrown.line}`, source };
}
