import { describe, expect, it } from 'vitest';
import { waitsForDebugger, withInspectPort } from './inspect-port.js';

describe('withInspectPort', () => {
	it.each([
		['--inspect', 3, '--inspect=9232'],
		['--inspect=4000', 0, '--inspect=4000'],
		['--inspect=4000', 2, '--inspect=4002'],
		['--inspect-brk=0.0.0.0:4000', 2, '--inspect-brk=0.0.0.0:4002'],
		['--inspect=0.0.0.0', 2, '--inspect=0.0.0.0:9231'],
		['--inspect=[::1]:4000', 1, '--inspect=[::1]:4001'],
		['--inspect-wait', 1, '--inspect-wait=9230'],
		['--inspect-port=5000', 1, '--inspect-port=5001'],
		['--inspect=0', 7, '--inspect=0'],
		['--inspect=65530', 7, '--inspect=0'],
		['--inspect-publish-uid=http', 3, '--inspect-publish-uid=http'],
		['--max-old-space-size=100', 3, '--max-old-space-size=100'],
	])('%s of child %i is %s', (flag, ordinal, expected) => {
		expect(withInspectPort([flag], ordinal)).toEqual([expected]);
	});

	it("starts above the owner's own port when one was given", () => {
		expect(withInspectPort(['--inspect'], 0, 9229)).toEqual(['--inspect=9230']);
		expect(withInspectPort(['--inspect'], 1, 9229)).toEqual(['--inspect=9231']);
		expect(withInspectPort(['--inspect=4000'], 1, 9229)).toEqual(['--inspect=4001']);
	});
});

describe('waitsForDebugger', () => {
	it.each([
		['--inspect-brk', true],
		['--inspect-brk=0', true],
		['--inspect-wait=9229', true],
		['--inspect', false],
		['--inspect=0', false],
	])('%s: %s', (flag, expected) => {
		expect(waitsForDebugger(['--no-warnings', flag])).toBe(expected);
	});
});
