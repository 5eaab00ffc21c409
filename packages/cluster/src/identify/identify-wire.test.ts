import { expect, it } from 'vitest';
import { identifyAnswer } from './identify-wire.js';

it('is what the script returned, as numbers', () => {
	const answer = identifyAnswer([
		'nonce',
		'1000',
		'16',
		'1000',
		'990',
		'5000',
		'2',
		'1250',
		['7', 'slot', '8', 'refused'],
		['9', '1500'],
	]);
	expect(answer).toEqual({
		nonce: 'nonce',
		time: 1000,
		maxConcurrency: 16,
		total: 1000,
		remaining: 990,
		resetAt: 5000,
		granted: 2,
		nextAt: 1250,
		results: [
			[7, 'slot'],
			[8, 'refused'],
		],
		etas: [[9, 1500]],
	});
});

it('has no concurrency and no next slot where nothing is known yet', () => {
	const answer = identifyAnswer(['nonce', '1000', '', '0', '0', '0', '0', '', [], []]);
	expect(answer).toMatchObject({ maxConcurrency: undefined, nextAt: undefined, results: [], etas: [] });
});
