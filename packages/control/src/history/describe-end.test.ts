import { expect, it } from 'vitest';
import { describeEnd, endReason } from './describe-end.js';

const end = (message: string) => ({ how: 'stopped', code: null, message }) as const;

it.each([
	[-5000, '0 s ago'],
	[119_000, '119 s ago'],
	[120_000, '2 min ago'],
	[3 * 3_600_000, '3 h ago'],
	[72 * 3_600_000, '3 days ago'],
])('says how long ago an end %s ms in the past was', (pastMs, ago) => {
	expect(describeEnd({ endedAt: 0, end: end('stopped by SIGTERM') }, pastMs)).toBe(`it was stopped by SIGTERM ${ago}`);
});

it.each([
	['no database', 'no database'],
	['1 of 1 workers failed\n  worker 0: x', '1 of 1 workers failed: worker 0: x'],
	['2 of 2 workers failed\n  worker 0: x\n  worker 1: y', '2 of 2 workers failed: worker 0: x …'],
])('makes one line of %j', (message, line) => {
	expect(endReason(end(message))).toBe(line);
});
