// What begins the line by which a process that a bot file started reports that it logs in itself. It cannot be guessed, so that no text
// that a bot prints is taken for it.
import { randomUUID } from 'node:crypto';

export const launchMark = `[shardctl ${randomUUID().slice(0, 8)}]`;

/** The report in a line of a worker's output; undefined in every other. */
export function launchReport(line: string): string | undefined {
	const start = line.indexOf(launchMark);
	return start < 0 ? undefined : line.slice(start + launchMark.length).trim();
}
