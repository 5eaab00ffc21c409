import { setImmediate as nextTurn } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { EncodedDispatch } from '@shardctl/gateway-protocol';
import { expect, it } from 'vitest';
import type { LogEntry } from '../buffer/event-log.js';
import { ShardState } from '../state/shard-state.js';
import { DeferredState } from './deferred-state.js';

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
		guildId: '1',
		ownMember: false,
		coalesceKey: undefined,
		receivedAtMs: 0,
		tries: 0,
	};
}

function setup() {
	const applied: number[] = [];
	const deferred = new DeferredState(({ offset }) => applied.push(offset));
	deferred.adopt(newState());
	const take = (count: number) => {
		for (let offset = 1; offset <= count; offset++) deferred.take(joined(offset));
	};
	return { applied, deferred, take };
}

it('applies many events over many turns, each once and in order', async () => {
	const { applied, deferred, take } = setup();
	take(300);
	expect(applied).toEqual([]);
	const steps: number[] = [];
	for (let turn = 0; turn < 100 && applied.length < 300; turn++) {
		const before = applied.length;
		await nextTurn();
		steps.push(applied.length - before);
	}
	expect(Math.max(...steps)).toBe(75);
	expect(steps.length).toBeGreaterThan(10);
	expect(applied).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
	expect(memberCount(deferred.peek)).toBe(300);
});

it('releases events it has applied, however long others keep arriving', async () => {
	v8.setFlagsFromString('--expose-gc');
	const collectGarbage = vm.runInNewContext('gc') as () => void;
	const { applied, deferred } = setup();
	const first: WeakRef<LogEntry>[] = [];
	for (let offset = 1; offset <= 1000; offset++) {
		const entry = joined(offset);
		if (offset <= 100) first.push(new WeakRef(entry));
		deferred.take(entry);
		// More events arrive than a step applies, so some always wait.
		if (offset % 8 === 0) await nextTurn();
		expect(deferred.nextOffset).toBeDefined();
		if (applied.length >= 200) break;
	}
	// Without the references that the engine keeps until the end of a turn.
	await nextTurn();
	deferred.take(joined(2000));
	collectGarbage();
	expect(deferred.nextOffset).toBeDefined();
	expect(first.filter((entry) => entry.deref() !== undefined)).toHaveLength(0);
});

it('is at the newest event for every reader', async () => {
	const { applied, deferred, take } = setup();
	take(100);
	expect([memberCount(deferred.peek), memberCount(deferred.current), applied.length]).toEqual([0, 100, 100]);
	await nextTurn();
	expect(applied).toHaveLength(100);
});

it('applies events that arrive while others wait', async () => {
	const { applied, deferred, take } = setup();
	take(20);
	await nextTurn();
	deferred.take(joined(21));
	expect(memberCount(deferred.current)).toBe(21);
	expect(applied.at(-1)).toBe(21);
});

it('applies none of the pending events of the old state to a new one', async () => {
	const { applied, deferred, take } = setup();
	take(10);
	deferred.adopt(newState());
	await nextTurn();
	deferred.take(joined(11));
	expect([memberCount(deferred.current), applied]).toEqual([1, [11]]);
});

it('applies nothing while there is no state, nor after its end', async () => {
	const applied: number[] = [];
	const deferred = new DeferredState(({ offset }) => applied.push(offset));
	deferred.take(joined(1));
	deferred.adopt(newState());
	deferred.take(joined(2));
	deferred.stop();
	await nextTurn();
	expect(applied).toEqual([]);
	expect(memberCount(deferred.current)).toBe(1);
});

it('applies nothing while frozen, until it is thawed or read', async () => {
	const { applied, deferred, take } = setup();
	take(10);
	deferred.freeze(() => deferred.thaw());
	for (let turn = 0; turn < 20; turn++) await nextTurn();
	expect([applied, deferred.nextOffset, memberCount(deferred.peek)]).toEqual([[], 1, 0]);
	deferred.thaw();
	for (let turn = 0; turn < 20; turn++) await nextTurn();
	expect([applied.length, deferred.nextOffset]).toEqual([10, undefined]);
	deferred.freeze(() => deferred.thaw());
	deferred.take(joined(11));
	expect(memberCount(deferred.current)).toBe(11);
});
