import { expect, it } from 'vitest';
import { type Handled, judge } from './witness.js';

function handled(lines: string): Handled[] {
	return lines
		.trim()
		.split(/\s+/)
		.map((entry, index) => {
			const [node, pid, number, startedAt = '0'] = entry.split(':') as [string, string, string, string?];
			return {
				guildId: '1',
				number: Number(number),
				pid: Number(pid),
				at: 1000 + 10 * index,
				node,
				startedAt: Number(startedAt),
			};
		});
}

const sent = (count: number) => new Map([['1', count]]);

it('finds nothing wrong with a takeover that repeats', () => {
	expect(judge(handled('a:1:1 a:1:2 b:2:2 b:2:3'), sent(3))).toEqual({
		faults: [],
		lost: [],
		repeats: 1,
		reachMs: 0,
		longestPauseMs: 20,
	});
});

it('takes a process with the pid of one that is gone for another', () => {
	expect(judge(handled('a:1:1 b:2:2 a:1:3:9 a:1:4:9'), sent(4))).toMatchObject({ faults: [], lost: [] });
});

it('measures how far back a takeover repeats', () => {
	expect(judge(handled('a:1:1 a:1:2 a:1:3 b:2:2 b:2:3 b:2:4'), sent(4))).toMatchObject({ repeats: 2, reachMs: 10 });
});

it('finds two owners that handle a guild at the same time', () => {
	expect(judge(handled('a:1:1 b:2:1 a:1:2 b:2:2'), sent(2)).faults).toEqual([
		expect.stringContaining('event 2 on node a (process 1): I1'),
		expect.stringContaining('event 2 on node b (process 2): I1'),
	]);
});

it('finds an event that was left out, and one that never arrived', () => {
	const { faults, lost } = judge(handled('a:1:1 a:1:3'), sent(4));
	expect(faults).toEqual([expect.stringContaining('the one before it was 1'), expect.stringContaining('had just handled 1')]);
	expect(lost).toEqual(['guild 1: handled up to 3 of 4']);
});

it('counts what a process handles again where a gateway process was killed, and still finds what it leaves out', () => {
	const replayed = (lines: string) => judge(handled(lines), sent(4), { replays: true });
	expect(replayed('a:1:1 a:1:2 a:1:3 a:1:2 a:1:3 a:1:4')).toMatchObject({ faults: [], lost: [], repeats: 2 });
	expect(replayed('a:1:1 a:1:2 a:1:3 a:1:1 a:1:3 a:1:4').faults).toEqual([expect.stringContaining('had just handled 1')]);
});

it('finds what one process handles twice', () => {
	expect(judge(handled('a:1:1 a:1:2 a:1:2'), sent(2)).faults).toEqual([expect.stringContaining('had just handled 2')]);
});
