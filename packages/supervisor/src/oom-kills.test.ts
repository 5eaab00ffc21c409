import { describe, expect, it } from 'vitest';
import { counterPathsIn, OomKillCounter, oomKillsIn } from './oom-kills.js';

describe('OomKillCounter', () => {
	it('allows every kill to be claimed once', () => {
		let kills = 5;
		const counter = new OomKillCounter(() => kills);
		expect(counter.claim()).toBe(false);
		kills += 2;
		expect([counter.claim(), counter.claim(), counter.claim()]).toEqual([true, true, false]);
	});

	it('ignores kills from before a process was started', () => {
		let kills = 0;
		const counter = new OomKillCounter(() => kills);
		kills++;
		counter.forget();
		expect(counter.claim()).toBe(false);
	});

	it('works without such a counter', () => {
		expect(new OomKillCounter(() => 0).claim()).toBe(false);
		expect(new OomKillCounter().claim()).toBe(false);
	});
});

it.each([
	[
		'version 2',
		'0::/user.slice/bot.service\n',
		['/sys/fs/cgroup/user.slice/bot.service/memory.events', '/sys/fs/cgroup/memory.events'],
	],
	['version 2 at its root, as in a container', '0::/\n', ['/sys/fs/cgroup/memory.events']],
	[
		'version 1',
		'5:cpu:/\n4:memory:/docker/abc\n0::/\n',
		['/sys/fs/cgroup/memory/docker/abc/memory.oom_control', '/sys/fs/cgroup/memory/memory.oom_control'],
	],
	['none', '', []],
])('knows the paths of the cgroup counter: %s', (_version, text, paths) => {
	expect(counterPathsIn(text)).toEqual(paths);
});

it.each([
	['memory.events', 'low 0\nhigh 0\nmax 12\noom 2\noom_kill 2\noom_group_kill 1\n', 2],
	['memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n', 3],
	['an old kernel', 'oom_kill_disable 0\nunder_oom 0\n', 0],
])('reads %s', (_file, text, kills) => {
	expect(oomKillsIn(text)).toBe(kills);
});
