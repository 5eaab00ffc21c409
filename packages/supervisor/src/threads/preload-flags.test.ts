import { expect, it } from 'vitest';
import { withoutPreloads } from './preload-flags.js';

it.each([
	[['--require', 'a.js', '--max-old-space-size=64'], ['--max-old-space-size=64']],
	[['-r', 'a.js', '--import', 'b.js', '--import=c.js', '--loader', 'd.js', '--experimental-loader=e.js'], []],
	[
		['--inspect', '--no-warnings', '--requirements'],
		['--inspect', '--no-warnings', '--requirements'],
	],
])('leaves of %j to the process %j', (flags, expected) => {
	expect(withoutPreloads(flags)).toEqual(expected);
});
