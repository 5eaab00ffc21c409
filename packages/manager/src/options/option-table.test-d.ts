// What a config file may say under the names of flags. Checked by `pnpm types`; nothing here runs.
import { expectTypeOf, it } from 'vitest';
import type { FlagNamedOptions } from './option-table.js';

/** The keys that accept no value. */
type Unusable = { [Key in keyof FlagNamedOptions]-?: [NonNullable<FlagNamedOptions[Key]>] extends [never] ? Key : never };

it('gives every flag that sets a part of an option the type of that part', () => {
	expectTypeOf<Unusable[keyof Unusable]>().toEqualTypeOf<never>();
	expectTypeOf<FlagNamedOptions['workersOnly']>().toEqualTypeOf<boolean | undefined>();
	expectTypeOf<FlagNamedOptions['queueKeep']>().toEqualTypeOf<number | string | undefined>();
	expectTypeOf<FlagNamedOptions['queueKeepSize']>().toEqualTypeOf<number | string | undefined>();
	expectTypeOf<FlagNamedOptions['lease']>().toEqualTypeOf<number | string | undefined>();
	expectTypeOf<FlagNamedOptions['queueCa']>().toEqualTypeOf<string | undefined>();
});
