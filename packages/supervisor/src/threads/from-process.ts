// Whether a message of a process with threads is one that our program there sends. The bots' code runs in that process too, and may write
// to its channel.
import type { FromProcess } from './thread-messages.js';

const isStream = (value: unknown) => value === 'stdout' || value === 'stderr';

/** What each kind has besides its type and the number of its thread. */
const kinds: Record<FromProcess['type'], (message: Record<string, unknown>) => boolean> = {
	message: () => true,
	output: ({ stream, text }) => isStream(stream) && typeof text === 'string',
	'output-end': ({ stream }) => isStream(stream),
	disconnect: () => true,
	exit: ({ code }) => Number.isInteger(code),
	'too-large': () => true,
	stack: ({ frames }) => Array.isArray(frames) && frames.every((frame) => typeof frame === 'string'),
};

export function isFromProcess(value: unknown): value is FromProcess {
	if (typeof value !== 'object' || value === null) return false;
	const message = value as Record<string, unknown>;
	const { type, thread } = message;
	return (
		typeof type === 'string' &&
		Object.hasOwn(kinds, type) &&
		Number.isInteger(thread) &&
		kinds[type as FromProcess['type']](message)
	);
}
