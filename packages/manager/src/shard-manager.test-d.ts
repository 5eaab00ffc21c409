// What TypeScript infers for a manager's calls. Checked by `pnpm types`; nothing here runs.
import type { Client } from 'discord.js';
import { expectTypeOf, it } from 'vitest';
import type { Serialized, ShardManager, ShardStats, WorkerOutcome } from './index.js';

declare const manager: ShardManager;

it('types the calls by their script, their target and settle', () => {
	expectTypeOf(manager.broadcastEval((c: Client) => c.guilds.cache.size)).resolves.toEqualTypeOf<number[]>();
	expectTypeOf(manager.broadcastEval((c: Client) => c.uptime, { shard: 0 })).resolves.toEqualTypeOf<number | null>();
	expectTypeOf(manager.broadcastEval(() => 1, { settle: true })).resolves.toEqualTypeOf<WorkerOutcome<number>[]>();
	expectTypeOf(manager.broadcastEval((_, n) => n, { context: 5, guildId: '1' })).resolves.toEqualTypeOf<number>();
	expectTypeOf(manager.broadcastEval('1 + 1')).resolves.toEqualTypeOf<unknown[]>();
	expectTypeOf(manager.call('greet', ['you'])).resolves.toEqualTypeOf<unknown[]>();
	expectTypeOf(manager.getShardStats()).resolves.toEqualTypeOf<ShardStats[]>();
	expectTypeOf<Serialized<Map<string, bigint>>>().toEqualTypeOf<Map<string, bigint>>();
});
