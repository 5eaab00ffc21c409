import { expect, it } from 'vitest';
import { gatewaySchema, resolveGatewayOptions } from './gateway-options.js';

it('defaults to direct', () => {
	expect([undefined, 'direct' as const, { mode: 'direct' as const }].map(resolveGatewayOptions)).toEqual([null, null, null]);
});

it('fills in missing values', () => {
	const defaults = {
		sessions: undefined,
		shardsPerGateway: 16,
		delivery: 'at-most-once',
		buffer: { events: 50_000, bytes: 2 ** 26, ageMs: 600_000 },
		compression: 'zlib-stream',
	};
	expect(resolveGatewayOptions('resident')).toEqual(defaults);
	expect(resolveGatewayOptions({ mode: 'resident', sessions: 2, delivery: 'at-least-once', bufferEvents: 5 })).toEqual({
		...defaults,
		sessions: 2,
		delivery: 'at-least-once',
		buffer: { ...defaults.buffer, events: 5 },
	});
});

it.each([
	'residential',
	{ mode: 'resident', shardsPerGateway: 0 },
	{ mode: 'resident', sessions: 1.5 },
	{ mode: 'resident', sessions: 'all' },
	{ mode: 'resident', delivery: 'once' },
	{ mode: 'resident', compression: 'zstd-stream' },
	{ shardsPerGateway: 2 },
])('rejects %j', (value) => {
	expect(gatewaySchema.safeParse(value).success).toBe(false);
});
