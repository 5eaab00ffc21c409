import { expect, it } from 'vitest';
import { queryFlag } from './query-flag.js';

it.each([
	['with_response=true', true],
	['with_response=1', true],
	['with_response=True', true],
	['with_response=false', false],
	['with_response=0', false],
	['with_response=', false],
	['', false],
])('reads "%s" as %s', (query, expected) => {
	expect(queryFlag(new URLSearchParams(query), 'with_response')).toBe(expected);
});
