// Finds the error that ended a Node process in what it wrote to standard error: the last one that Node reported, and not one that the bot
// logged before. Node prints the place, the source line, a caret, the error with its stack, and at the very end a line with its version.

export interface UncaughtError {
	/** The first line of the error: `TypeError: boom`. */
	text: string;
	/** Where it was thrown, outside of Node's own code: `/bot/index.js:12:28`; undefined where that is not known. */
	place: string | undefined;
	/** The line of source that threw it; undefined where that is not known, or is Node's own. */
	source: string | undefined;
}

const version = /^Node\.js v\d+\.\d+\.\d+/;
const frame = /^\s+at .+/;
/** A frame of the error itself; those of its causes are indented further. */
const topFrame = /^ {4}at .+/;
/** How an error begins, at the left margin; Node marks one that refers to itself. */
const errorLine = /^(?:<ref \*\d+> )?(?:Uncaught )?[\w$.]*(?:Error|Exception)\b/;
const caret = /^\s*\^+\s*$/;
const place = /^(.+):(\d+)$/;
/** The path of a frame, with its line and column. Properties of the error follow the last frame, in braces. */
const framePlace = /(?:\(|at (?:async )?)(?:file:\/\/)?((?:[A-Za-z]:)?[^()\s][^()]*:\d+:\d+)\)?(?: \{)?$/;
/** Frames of Node itself say nothing about a bot. */
const ownFrame = /^\s+at .*\(?node:/;

/** Undefined where Node reported none: a bot that logs an error and exits does not print Node's version. */
export function findUncaughtError(lines: readonly string[]): UncaughtError | undefined {
	const end = lines.findLastIndex((line) => version.test(line));
	if (end === -1) return undefined;
	const printed = lines.slice(0, end);
	const mark = printed.findLastIndex((line, index) => caret.test(line) && place.test(printed[index - 2] ?? ''));
	if (mark === -1) return withoutSource(printed);
	const report = printed.slice(mark + 1);
	const text = textOf(report.find((line) => line.trim() !== ''));
	const [header, source] = [printed[mark - 2] ?? '', printed[mark - 1] ?? ''];
	const isNodes = header.startsWith('node:');
	const thrownIn = placeOf(report) ?? (isNodes ? undefined : header.replace(/^file:\/\//, ''));
	return { text, place: thrownIn, source: isNodes ? undefined : source.trim() || undefined };
}

/** Replaces each run of Node's own frames by one line that counts them. */
export function foldNodeFrames(lines: readonly string[]): string[] {
	const folded: string[] = [];
	let count = 0;
	const flush = () => {
		if (count > 0) folded.push(`    … ${count} ${count === 1 ? 'frame' : 'frames'} of Node.js`);
		count = 0;
	};
	for (const line of lines) {
		if (ownFrame.test(line)) {
			count++;
			continue;
		}
		flush();
		folded.push(line);
	}
	flush();
	return folded;
}

/**
 * An error whose source Node does not have, or whose beginning is no longer kept: the text above the last run of its own frames, or
 * without frames the last line that an error begins with.
 */
function withoutSource(printed: readonly string[]): UncaughtError {
	const lastFrame = printed.findLastIndex((line) => topFrame.test(line));
	if (lastFrame === -1) {
		const words = printed.filter((line) => line.trim() !== '' && !line.startsWith('(Use `node'));
		const isObject = words.at(-1) === '}';
		const text = words.findLast((line) => errorLine.test(line)) ?? (isObject ? undefined : words.at(-1));
		return { text: textOf(text), place: undefined, source: undefined };
	}
	const firstFrame = printed.findLastIndex((line, index) => index < lastFrame && !topFrame.test(line)) + 1;
	// The message may have several lines, blank ones among them.
	const above = printed.slice(0, firstFrame);
	const afterFrames = above.findLastIndex((line) => frame.test(line)) + 1;
	const afterBlank = above.findLastIndex((line) => line.trim() === '') + 1;
	const begins = above.slice(afterFrames).findLast((line) => errorLine.test(line));
	return {
		text: textOf(begins ?? above[Math.max(afterFrames, afterBlank)] ?? above.at(-1)),
		place: placeOf(printed.slice(firstFrame)),
		source: undefined,
	};
}

function textOf(line: string | undefined): string {
	return line?.replace(/^<ref \*\d+> /, '').trim() || 'unknown error';
}

/** The first frame that is not Node's own. */
function placeOf(report: readonly string[]): string | undefined {
	const own = report.find((line) => frame.test(line) && !ownFrame.test(line));
	return own === undefined ? undefined : framePlace.exec(own)?.[1];
}
