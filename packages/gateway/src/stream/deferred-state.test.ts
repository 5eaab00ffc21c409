import { setImmediate as nextTurn } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { EncodedDispatch } from '@shardctl/gateway-protocol';
import { expect, it } from 'vitest';
import type { LogEntry } from '../buffer/event-log.js';
import { ShardState } from '../state/shard-state.js';
import { LaggingState } from './deferred-state.js';

const guildId = '41';

function newState(): ShardState {
	const state = ShardState.fromReady({ user: { id: '9' }, guilds: [] });
	state.apply({ t: 'GUILD_CREATE', d: { id: guildId, member_count: 0, members: [] } });
	return state;
}

function memberCount(state: ShardState | undefined): unknown {
	return state?.guild(guildId)?.member_count;
}

function joined(offset: number): LogEntry {
	const d = { guild_id: guildId, user: { id: String(1000 + offset) } };
	return {
		offset,
		event: EncodedDispatch.of('GUILD_MEMBER_ADD', d),
		data: d,
		direct: false,
		ownMember: false,
		slot: undefined,
		receivedAtMs: 0,
		tries: 0,
	};
}

function setup() {
	const applied: number[] = [];
	const lagging = new LaggingState(({ offset }) => applied.push(offset));
	lagging.adopt(newState());
	const take = (count: number) => {
		for (let offset = 1; offset <= count; offset++) lagging.take(joined(offset));
	};
	return { applied, lagging, take };
}

it('takes in many events in many turns, each of them once and in order', async () => {
	const { applied, lagging, take } = setup();
	take(300);
	expect(applied).toEqual([]);
	const steps: number[] = [];
	for (let turn = 0; turn < 100 && applied.length < 300; turn++) {
		const before = applied.length;
		await nextTurn();
		steps.push(applied.length - before);
	}
	expect(Math.max(...steps)).toBeLessThan(60);
	expect(applied).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
	expect(memberCount(lagging.about)).toBe(300);
});

it('holds no event that it has taken in, however long others keep coming', async () => {
	v8.setFlagsFromString('--expose-gc');
	const collectGarbage = vm.runInNewContext('gc') as () => void;
	const { applied, lagging } = setup();
	const first: WeakRef<LogEntry>[] = [];
	for (let offset = 1; offset <= 1000; offset++) {
		const entry = joined(offset);
		if (offset <= 100) first.push(new WeakRef(entry));
		lagging.take(entry);
		// More come than a step takes in, so something always waits.
		if (offset % 8 === 0) await nextTurn();
		expect(lagging.nextOffset).toBeDefined();
		if (applied.length >= 200) break;
	}
	// Without the references that the engine keeps until the end of a turn.
	await nextTurn();
	lagging.take(joined(2000));
	collectGarbage();
	expect(lagging.nextOffset).toBeDefined();
	expect(first.filter((entry) => entry.deref() !== undefined)).toHaveLength(0);
});

it('stands at the newest event for whoever looks', async () => {
	const { applied, lagging, take } = setup();
	take(100);
	expect([memberCount(lagging.about), memberCount(lagging.current), applied.length]).toEqual([0, 100, 100]);
	await nextTurn();
	expect(applied).toHaveLength(100);
});

it('goes on with events that come while others wait', async () => {
	const { applied, lagging, take } = setup();
	take(20);
	await nextTurn();
	lagging.take(joined(21));
	expect(memberCount(lagging.current)).toBe(21);
	expect(applied.at(-1)).toBe(21);
});

it('gives a new state nothing of what the one before had still to take in', async () => {
	const { applied, lagging, take } = setup();
	take(10);
	lagging.adopt(newState());
	await nextTurn();
	lagging.take(joined(11));
	expect([memberCount(lagging.current), applied]).toEqual([1, [11]]);
});

it('takes in nothing while there is no state, nor after its end', async () => {
	const applied: number[] = [];
	const lagging = new LaggingState(({ offset }) => applied.push(offset));
	lagging.take(joined(1));
	lagging.adopt(newState());
	lagging.take(joined(2));
	lagging.stop();
	await nextTurn();
	expect(applied).toEqual([]);
	expect(memberCount(lagging.current)).toBe(1);
});

it('stands still until it is let go on, or until somebody needs it', async () => {
	const { applied, lagging, take } = setup();
	take(10);
	lagging.standStill(() => lagging.goOn());
	for (let turn = 0; turn < 20; turn++) await nextTurn();
	expect([applied, lagging.nextOffset, memberCount(lagging.about)]).toEqual([[], 1, 0]);
	lagging.goOn();
	for (let turn = 0; turn < 20; turn++) await nextTurn();
	expect([applied.length, lagging.nextOffset]).toEqual([10, undefined]);
	lagging.standStill(() => lagging.goOn());
	lagging.take(joined(11));
	expect(memberCount(lagging.current)).toBe(11);
});
