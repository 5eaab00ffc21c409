// The types that the calls of manager and worker are made of. Checked by `pnpm types`; nothing here runs.
import { describe, expectTypeOf, it } from 'vitest';
import type { CallResult, CallTargetOf, ValueAt, WorkerOutcome } from './calls.js';

interface Client {
	guilds: { cache: { size: number } };
	user: { id: string } | null;
}

describe('ValueAt', () => {
	it('follows a dotted path as far as types are known', () => {
		expectTypeOf<ValueAt<Client, 'guilds.cache.size'>>().toEqualTypeOf<number>();
		expectTypeOf<ValueAt<Client, 'guilds.cash.size'>>().toEqualTypeOf<unknown>();
		expectTypeOf<ValueAt<Client, 'user'>>().toEqualTypeOf<{ id: string } | null>();
	});
});

describe('CallResult', () => {
	it('is one answer with a target, else a list; outcomes when settled', () => {
		expectTypeOf<CallResult<{ shard: 3 }, string>>().toEqualTypeOf<string>();
		expectTypeOf<CallResult<{ guildId: string; settle: true }, string>>().toEqualTypeOf<WorkerOutcome<string>>();
		expectTypeOf<CallResult<{ timeoutMs: number }, string>>().toEqualTypeOf<string[]>();
		expectTypeOf<CallResult<CallTargetOf<2>, string>>().toEqualTypeOf<string>();
	});
});
