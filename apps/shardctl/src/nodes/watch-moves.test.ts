import type { SessionPlace } from '@shardctl/control';
import { expect, it } from 'vitest';
import { moves } from './watch-moves.js';

const at = (session: number, node: string | null): SessionPlace => ({
	session,
	shardIds: [session, session + 4],
	node,
	phase: 'held',
	target: null,
});

it('has a line for each session that is on another node than before', () => {
	const before = [at(0, 'a'), at(1, 'a'), at(2, null), at(3, 'a')];
	expect(moves(before, [at(0, 'b'), at(1, 'a'), at(2, 'b'), at(3, null)])).toEqual([
		'session 0 (shards 0,4): a → b',
		'session 2 (shards 2,6): b',
	]);
	expect(moves([], before)).toEqual([]);
});
