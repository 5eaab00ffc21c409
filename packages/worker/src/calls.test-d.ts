// What TypeScript infers for calls into the fleet. Checked by `pnpm types`; nothing here runs.
import type { Collection } from 'discord.js';
import { describe, expectTypeOf, it } from 'vitest';
import {
	broadcastEval,
	call,
	fetchClientValues,
	getShardStats,
	handle,
	type Serialized,
	type ShardStats,
	type WorkerOutcome,
} from './index.js';

type Client = import('discord.js').Client<true>;
interface Shape {
	name: string;
	big: bigint;
	at: Date;
	members: Map<string, { since: Date }>;
	tags: Set<number>;
	greet(): string;
	secret: symbol;
	optional?: readonly string[];
}

describe('broadcastEval', () => {
	it('answers with one result per worker, or one', () => {
		expectTypeOf(broadcastEval((c: Client) => c.guilds.cache.size)).resolves.toEqualTypeOf<number[]>();
		expectTypeOf(broadcastEval(async (c: Client) => c.user.tag)).resolves.toEqualTypeOf<string[]>();
		expectTypeOf(broadcastEval((c: Client) => c.token, { shard: 3 })).resolves.toEqualTypeOf<string>();
		expectTypeOf(broadcastEval(() => 1, { guildId: '5', timeoutMs: 10 })).resolves.toEqualTypeOf<number>();
		expectTypeOf(broadcastEval(() => 1, { settle: true })).resolves.toEqualTypeOf<WorkerOutcome<number>[]>();
		expectTypeOf(broadcastEval(() => 1, { settle: true, shard: 0 })).resolves.toEqualTypeOf<WorkerOutcome<number>>();
		expectTypeOf(broadcastEval(() => 1, { settle: false })).resolves.toEqualTypeOf<number[]>();

		expectTypeOf(broadcastEval((c: Client) => c.token, 3)).resolves.toEqualTypeOf<string>();
		expectTypeOf(broadcastEval('client.guilds.cache.size')).resolves.toEqualTypeOf<unknown[]>();
		expectTypeOf(broadcastEval('1', { shard: 0 })).resolves.toEqualTypeOf<unknown>();
	});

	it('gives the script its context, as it arrives', () => {
		void broadcastEval((_: Client, context) => expectTypeOf(context).toEqualTypeOf<{ id: string; at: Date }>(), {
			context: { id: '5', at: new Date(), drop: () => 1 },
		});
		void broadcastEval((_: Client, context) => expectTypeOf(context).toEqualTypeOf<undefined>());
	});

	it('answers with what a value is after its way', () => {
		expectTypeOf(broadcastEval(() => ({}) as Shape, { shard: 0 })).resolves.toEqualTypeOf<{
			name: string;
			big: bigint;
			at: Date;
			members: Map<string, { since: Date }>;
			tags: Set<number>;
			optional?: string[];
		}>();
	});

	it('refuses options that there are not', () => {
		const refused = [
			// @ts-expect-error a shard is a number
			broadcastEval(() => 1, { shard: '3' }),
			// @ts-expect-error no such option
			broadcastEval(() => 1, { cluster: 3 }),
			// @ts-expect-error null is no target
			broadcastEval(() => 1, null),
			// @ts-expect-error no text
			broadcastEval(5),
		];
		expectTypeOf(refused).toBeArray();
	});
});

describe('Serialized', () => {
	it('keeps what travels, follows toJSON, and drops functions', () => {
		expectTypeOf<Serialized<Collection<string, { id: string }>>>().toEqualTypeOf<{ id: string }[]>();
		expectTypeOf<Serialized<() => void>>().toEqualTypeOf<never>();
		expectTypeOf<Serialized<[number, Date, bigint]>>().toEqualTypeOf<[number, Date, bigint]>();
		expectTypeOf<Serialized<unknown>>().toEqualTypeOf<unknown>();
		expectTypeOf<Serialized<string | null>>().toEqualTypeOf<string | null>();
		expectTypeOf<Serialized<Uint8Array>>().toEqualTypeOf<Uint8Array>();
		expectTypeOf<Serialized<{ toJSON(): { plain: Date } }>>().toEqualTypeOf<{ plain: Date }>();
	});
});

describe('the other calls', () => {
	it('are typed where something is known', () => {
		expectTypeOf(getShardStats()).resolves.toEqualTypeOf<ShardStats[]>();
		expectTypeOf(fetchClientValues('guilds.cache.size', 0)).resolves.toBeAny();
		expectTypeOf(call('greet', ['you'], { shard: 1 })).resolves.toEqualTypeOf<unknown>();
		expectTypeOf(call('greet', ['you'])).resolves.toEqualTypeOf<unknown[]>();
		handle('add', (a: number, b: number) => a + b);
		handle('later', async () => {});
	});
});
