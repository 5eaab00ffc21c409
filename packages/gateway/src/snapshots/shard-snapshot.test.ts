import { expect, it } from 'vitest';
import { atOnce } from '../../test/support/at-once.js';
import { ShardState } from '../state/shard-state.js';
import { decodeSnapshot, encodeSnapshot } from './shard-snapshot.js';

const state = () => {
	const made = ShardState.fromReady({ user: { id: '9' }, guilds: [{ id: '1', unavailable: true }] });
	made.apply({ t: 'GUILD_CREATE', d: { id: '1', name: 'one\ntwo', channels: [], members: [] } });
	return made;
};
const facts = {
	shardId: 2,
	layout: { generation: 1, totalShards: 4, sessions: 2 },
	session: { sessionId: 's', resumeUrl: 'wss://example.invalid', terms: { intents: 1, largeThreshold: null, presence: null } },
	seq: 41,
	cursor: 141,
	through: 150,
	botId: '9',
	voice: [],
};

it('decodes what it encoded', () => {
	const { state: restored, ...rest } = decodeSnapshot(atOnce(encodeSnapshot({ ...facts, state: state() })));
	expect(rest).toEqual(facts);
	expect([...restored.guildDispatches()]).toEqual([...state().guildDispatches()]);
});

it('rejects a truncated, damaged or empty snapshot, and one of another version', () => {
	const whole = atOnce(encodeSnapshot({ ...facts, state: state() }));
	const damaged = Buffer.from(whole);
	damaged[whole.length - 3] = (damaged[whole.length - 3] as number) ^ 1;
	const otherVersion = Buffer.from(whole.toString('latin1').replace('snapshot 3', 'snapshot 4'), 'latin1');
	for (const bad of [whole.subarray(0, -1), whole.subarray(0, 10), damaged, Buffer.alloc(0), otherVersion]) {
		expect(() => decodeSnapshot(bad)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_INVALID' }));
	}
});

it('finding 17: names the version of a snapshot it cannot read', () => {
	const whole = atOnce(encodeSnapshot({ ...facts, state: state() }));
	const other = Buffer.from(whole.toString('latin1').replace('snapshot 3', 'snapshot 41'), 'latin1');
	expect(() => decodeSnapshot(other)).toThrow(/is of version 41, and this shardctl reads version 3/);
});
