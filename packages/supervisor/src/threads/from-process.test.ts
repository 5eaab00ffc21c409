import { expect, it } from 'vitest';
import { isFromProcess } from './from-process.js';

it.each([
	{ type: 'message', thread: 1, message: null },
	{ type: 'output', thread: 1, stream: 'stdout', text: 'a' },
	{ type: 'output-end', thread: 1, stream: 'stderr' },
	{ type: 'disconnect', thread: 1 },
	{ type: 'exit', thread: 1, code: 0 },
	{ type: 'too-large', thread: 1 },
	{ type: 'stack', thread: 1, frames: ['at a'] },
])('is: %j', (message) => {
	expect(isFromProcess(message)).toBe(true);
});

it.each([
	null,
	'exit',
	[],
	{ type: 'exit', code: 0 },
	{ type: 'exit', thread: '1', code: 0 },
	{ type: 'exit', thread: 1, code: 'SIGKILL' },
	{ type: 'output', thread: 1, stream: 'stdin', text: 'a' },
	{ type: 'output', thread: 1, stream: 'stdout', text: { length: 5 } },
	{ type: 'stack', thread: 1, frames: [{}] },
	{ type: 'toString', thread: 1 },
	{ type: '__proto__', thread: 1 },
])('is not: %j', (message) => {
	expect(isFromProcess(message)).toBe(false);
});
