// The end of a fleet in words, for people.
import type { EndedFleet } from './ended-fleet.js';

/** `it was stopped by SIGTERM 3 min ago`. */
export function describeEnd({ end, endedAt }: Pick<EndedFleet, 'end' | 'endedAt'>, nowMs = Date.now()): string {
	const when = ago(nowMs - endedAt);
	const message = endReason(end);
	switch (end.how) {
		case 'stopped':
			return `it was ${message} ${when}`;
		case 'failed':
			return `it failed ${when}: ${message}`;
		case 'killed':
			return `it ended ${when}: ${message}`;
	}
}

/** In one line: an error may list each worker below its first line. */
export function endReason({ message }: EndedFleet['end']): string {
	const [first = '', second, ...more] = message.split('\n');
	return second === undefined ? first : `${first}: ${second.trim()}${more.length > 0 ? ' …' : ''}`;
}

function ago(ms: number): string {
	const seconds = Math.max(0, Math.round(ms / 1000));
	if (seconds < 120) return `${seconds} s ago`;
	const minutes = Math.round(seconds / 60);
	if (minutes < 120) return `${minutes} min ago`;
	const hours = Math.round(minutes / 60);
	return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
}
