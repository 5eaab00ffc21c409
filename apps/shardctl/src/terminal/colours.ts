// Colours for what goes to standard output and to standard error, each judged by its own stream: only a terminal gets any,
// unless FORCE_COLOR asks for them, and NO_COLOR always wins (https://no-color.org).
import pc from 'picocolors';

type Colours = ReturnType<typeof pc.createColors>;

function coloursFor(stream: NodeJS.WriteStream): Colours {
	const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
	const wanted = FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0';
	return pc.createColors(!NO_COLOR && (wanted || (stream.isTTY === true && TERM !== 'dumb')));
}

/** For data. */
export const out: Colours = coloursFor(process.stdout);
/** For talk. */
export const err: Colours = coloursFor(process.stderr);

const markColours = ['cyan', 'magenta', 'blue', 'yellow', 'green'] as const;

/** A colour that stays a worker's own. */
export function workerColour(colours: Colours, workerId: number): (text: string) => string {
	return colours[markColours[workerId % markColours.length] as (typeof markColours)[number]];
}

/** A status in the colour of its mood. */
export function statusColour(colours: Colours, status: string): string {
	if (status === 'ready' || status === 'running' || status === 'ok') return colours.green(status);
	if (['failed', 'unresponsive', 'disconnected', 'refused', 'fail'].includes(status)) return colours.red(status);
	return colours.yellow(status);
}
