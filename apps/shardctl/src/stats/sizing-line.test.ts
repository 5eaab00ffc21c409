import type { SizingStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import { sizingLines } from './sizing-line.js';

const outgrown: SizingStats = {
	sessions: 8,
	recommended: 16,
	guilds: 900,
	guildLimit: 2500,
	outgrown: true,
	advised: 16,
	message: 'Discord recommends 16 sessions, and the fleet has 8',
	remedy: '"shardctl reshard 16"',
	automatic: false,
	waitsFor: null,
	nextTryAt: null,
};
const text = (sizing: SizingStats | undefined) => sizingLines(sizing, { width: 300, nowMs: 1000 }).join();

it('says that a bot has outgrown its sessions, and what to do', () => {
	expect(text(outgrown)).toBe('▲ Discord recommends 16 sessions, and the fleet has 8: "shardctl reshard 16"');
	expect(text({ ...outgrown, outgrown: false, message: null, remedy: null })).toBe('');
	expect(text(undefined)).toBe('');
});

it('says what an automatic resharding waits for, and until when', () => {
	const automatic = { ...outgrown, automatic: true };
	expect(text({ ...automatic, waitsFor: 'a deploy runs' })).toMatch(/; resharding to 16 sessions waits: a deploy runs$/);
	expect(text({ ...automatic, waitsFor: 'no starts', nextTryAt: 121_000 })).toMatch(/waits: no starts; next try in 2m$/);
	expect(text(automatic)).toMatch(/resharding to 16 sessions begins$/);
	expect(text({ ...automatic, advised: null, remedy: 'restart it' })).toMatch(/^▲ .*: restart it$/);
});
