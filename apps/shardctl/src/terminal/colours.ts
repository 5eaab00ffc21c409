// Colours for standard output and standard error, decided for each stream: only a terminal gets colours, unless FORCE_COLOR asks
// for them. NO_COLOR always wins (https://no-color.org).
import pc from 'picocolors';

type Colours = ReturnType<typeof pc.createColors>;

function coloursFor(stream: NodeJS.WriteStream): Colours {
	const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
	const wanted = FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0';
	return pc.createColors(!NO_COLOR && (wanted || (stream.isTTY === true && TERM !== 'dumb')));
}

/** For results. */
export const out: Colours = coloursFor(process.stdout);
/** For progress and diagnostics. */
export const err: Colours = coloursFor(process.stderr);

const markColours = ['cyan', 'magenta', 'blue', 'yellow', 'green'] as const;

/** A fixed colour for each worker. */
export function workerColour(colours: Colours, workerId: number): (text: string) => string {
	return colours[markColours[workerId % markColours.length] as (typeof markColours)[number]];
}

/** A status in green, yellow or red. */
export function statusColour(colours: Colours, status: string): string {
	if (['ready', 'running', 'healthy', 'ok'].includes(status)) return colours.green(status);
	if (['failed', 'down', 'unresponsive', 'disconnected', 'refused', 'fail'].includes(status)) return colours.red(status);
	return colours.yellow(status);
}
