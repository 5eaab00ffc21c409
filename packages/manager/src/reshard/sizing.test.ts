import type { Layout, ManagerStats } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import { adviseSessions, countGuilds, decideReshard, type ReshardMoment, remedyFor } from './sizing.js';

const layout: Layout = { generation: 0, totalShards: 32, sessions: 8 };

describe('the session count to have', () => {
	it.each([
		['enough', { recommended: 8, guilds: 1200 }, undefined],
		['one guild below 80 %', { recommended: 8, guilds: 1999 }, undefined],
		['80 % of the guilds', { recommended: 8, guilds: 2000 }, 16],
		['not yet twice the sessions', { recommended: 15, guilds: 900 }, undefined],
		['twice the sessions', { recommended: 16, guilds: 900 }, 16],
		['more than twice', { recommended: 17, guilds: 900 }, 32],
		['the limit of Discord itself', { recommended: 16, guilds: 4000 }, 32],
		['more than the shards can be divided into', { recommended: 100, guilds: 2400 }, 32],
		['a count that the shards cannot be divided by', { recommended: 24, guilds: 900 }, 32],
		['no more shards than sessions', { recommended: 16, guilds: 900, layout: { ...layout, totalShards: 8 } }, null],
		['between two counts', { recommended: 32, guilds: 900, layout: { ...layout, resharded: { sessions: 16, groups: [0] } } }, 16],
		['half-way down', { recommended: 32, guilds: 900, layout: { ...layout, resharded: { sessions: 4, groups: [0] } } }, 8],
		['full half-way down', { recommended: 4, guilds: 2100, layout: { ...layout, resharded: { sessions: 4, groups: [0] } } }, 8],
		['a single session', { recommended: 2, guilds: 2100, layout: { ...layout, sessions: 1 } }, 2],
	])('%s', (_, facts, sessions) => {
		expect(adviseSessions({ layout, ...facts })?.sessions).toBe(sessions);
	});

	it('says why, and what a person can do', () => {
		const full = adviseSessions({ layout, recommended: 20, guilds: 2140 });
		expect(full?.message).toBe('a session with Discord has 2140 guilds of the 2500 that Discord allows');
		const more = adviseSessions({ layout, recommended: 16, guilds: 100 });
		expect(more?.message).toBe('Discord recommends 16 sessions, and the fleet has 8');
		if (!more) throw new Error('there is advice');
		expect(remedyFor(more, { layout, how: 'resident' })).toBe('"shardctl reshard 16"');
		expect(remedyFor(more, { layout, how: 'direct' })).toContain('--shards 16');
		const filled = { ...layout, totalShards: layout.sessions };
		expect(remedyFor({ ...more, sessions: null }, { layout: filled, how: 'resident' })).toBe('"shardctl reshard 16 --shards 16"');
		expect(remedyFor({ ...more, sessions: null }, { layout: filled, how: 'cluster' })).toContain(
			'--shards 16 --gateway-sessions 16',
		);
		expect(remedyFor(more, { layout, how: 'cluster' })).toBe('"shardctl reshard 16"');
		expect(remedyFor(more, { layout, how: 'unshared' })).toContain('--gateway-sessions 16');
	});
});

describe('whether to reshard now', () => {
	const advice = { message: 'm', sessions: 16 };
	const noon = new Date(2026, 4, 10, 12).getTime();
	const night = { fromMin: 120, toMin: 300 };
	const moment: ReshardMoment = {
		advice,
		nowMs: noon,
		window: null,
		busy: undefined,
		quietForMs: 60_000,
		quietMs: 60_000,
		held: null,
	};
	it.each<[string, Partial<ReshardMoment>, object]>([
		['enough sessions', { advice: null }, { do: 'nothing' }],
		['no room for more', { advice: { ...advice, sessions: null } }, { do: 'nothing' }],
		['whole and quiet', {}, { do: 'reshard', sessions: 16 }],
		['a deploy', { busy: 'a deploy runs' }, { do: 'wait', why: 'a deploy runs', until: null }],
		['not quiet for long', { quietForMs: 20_000 }, { do: 'wait', until: noon + 40_000 }],
		[
			'outside the window',
			{ window: night },
			{ do: 'wait', why: 'the resharding window opens at 02:00', until: new Date(2026, 4, 11, 2).getTime() },
		],
		['inside the window', { window: night, nowMs: new Date(2026, 4, 10, 4).getTime() }, { do: 'reshard', sessions: 16 }],
		['held', { held: { untilMs: noon + 1, why: 'w' } }, { do: 'wait', why: 'w', until: noon + 1 }],
		['no longer held', { held: { untilMs: noon, why: 'w' } }, { do: 'reshard', sessions: 16 }],
	])('%s', (_, given, decision) => {
		expect(decideReshard({ ...moment, ...given })).toMatchObject(decision);
	});
});

it('counts the guilds of each session as the gateway processes see them, else as the workers do', () => {
	const shards = Array.from({ length: 32 }, (_, shardId) => ({ shardId, guildCount: 10 + (shardId % 8) }));
	const asStats = (given: object) => ({ shards, ...given }) as unknown as ManagerStats;
	expect(countGuilds(asStats({}), layout)).toEqual({
		fullest: 4 * 17,
		all: shards.reduce((sum, each) => sum + each.guildCount, 0),
	});
	const gateways = [{ shards: [0, 8, 1].map((shardId) => ({ shardId, guildCount: 100 })) }];
	expect(countGuilds(asStats({ gateways }), layout)).toEqual({ fullest: 200, all: 300 });
	expect(countGuilds(asStats({ gateways: [{ shards: [] }] }), layout).fullest).toBe(68);
});
