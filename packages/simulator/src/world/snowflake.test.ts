import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import { discordEpochMs, IdSource, snowflake, snowflakeDate, snowflakeTime } from './snowflake.js';

test("the example of Discord's documentation", () => {
	expect(snowflakeTime('175928847299117063')).toBe(41_944_705_796);
	expect(snowflakeDate('175928847299117063')).toBe('2016-04-30T11:18:25.796Z');
	expect(snowflake(41_944_705_796, Number(175_928_847_299_117_063n & 0x3fffffn))).toBe('175928847299117063');
});

test('new ids increase also while the clock is stopped or goes back', () => {
	const clock = fakeClock();
	const ids = new IdSource(clock);
	const made = [ids.next(), ids.next()];
	clock.setNow(clock.now() - 5000);
	made.push(ids.next());
	expect(made.map(BigInt)).toEqual([...made].map(BigInt).sort((a, b) => (a < b ? -1 : 1)));
	expect(new Set(made).size).toBe(3);
	expect((snowflakeTime(made[0] as string) ?? 0) + discordEpochMs).toBe(1_700_000_000_000);
});
