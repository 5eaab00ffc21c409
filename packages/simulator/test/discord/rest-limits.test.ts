// Numbered cases of the specification: REST rate limits.
import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import { connected, rest, simulator } from '../raw-client.js';

function textChannels(sim: Awaited<ReturnType<typeof simulator>>): string[] {
	const [guildId] = [...sim.world.guilds.ids()] as [string];
	return [...(sim.world.guilds.read(guildId)?.channels.values() ?? [])].filter(({ type }) => type === 0).map(({ id }) => id);
}

const message = { method: 'POST', body: { content: 'hi' } };

test('S57 a used-up bucket returns 429 with its headers until it resets; another channel is free', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	const [one, two] = textChannels(sim);
	const first = await rest(sim, `/channels/${one}/messages`, message);
	expect(Object.fromEntries([...first.headers].filter(([name]) => name.startsWith('x-ratelimit')))).toEqual({
		'x-ratelimit-limit': '5',
		'x-ratelimit-remaining': '4',
		'x-ratelimit-reset': (clock.now() / 1000 + 5).toFixed(3),
		'x-ratelimit-reset-after': '5.000',
		'x-ratelimit-bucket': expect.stringMatching(/^[0-9a-f]{32}$/),
	});
	for (let n = 0; n < 4; n++) await rest(sim, `/channels/${one}/messages`, message);
	const over = await rest(sim, `/channels/${one}/messages`, message);
	expect(over).toMatchObject({ status: 429, json: { message: 'You are being rate limited.', retry_after: 5, global: false } });
	expect([
		over.headers.get('x-ratelimit-scope'),
		over.headers.get('retry-after'),
		over.headers.get('x-ratelimit-global'),
	]).toEqual(['user', '5', null]);
	expect((await rest(sim, `/channels/${two}/messages`, message)).status).toBe(200);
	await clock.advance(5000);
	expect((await rest(sim, `/channels/${one}/messages`, message)).status).toBe(200);
});

test('S57 shared and global limits have their scope and body', async () => {
	const sim = await simulator();
	const shared = sim.faults.restRateLimit({ scope: 'shared', retryAfterMs: 1500 });
	const one = await rest(sim, '/users/@me');
	expect(one).toMatchObject({
		status: 429,
		json: { message: 'The resource is being rate limited.', retry_after: 1.5, global: false },
	});
	expect([one.headers.get('x-ratelimit-scope'), one.headers.get('retry-after')]).toEqual(['shared', '2']);
	sim.faults.end(shared);
	sim.faults.restRateLimit({ scope: 'global' });
	const two = await rest(sim, '/users/@me');
	expect(two).toMatchObject({ status: 429, json: { message: 'You are being rate limited.', global: true } });
	expect([
		two.headers.get('x-ratelimit-scope'),
		two.headers.get('x-ratelimit-global'),
		two.headers.get('x-ratelimit-bucket'),
	]).toEqual(['global', 'true', null]);
});

test('S58 the 51st request in a second is limited globally; interaction responses are not', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	const client = await connected(sim);
	for (let n = 0; n < 50; n++) expect((await rest(sim, n % 2 ? '/users/@me' : '/gateway')).status).toBe(200);
	const over = await rest(sim, '/users/@me');
	expect([over.status, over.headers.get('x-ratelimit-global'), over.headers.get('x-ratelimit-bucket'), over.json.global]).toEqual(
		[429, 'true', null, true],
	);
	sim.emit('INTERACTION_CREATE');
	const { d } = await client.next('INTERACTION_CREATE');
	const answer = await rest(sim, `/interactions/${d.id}/${d.token}/callback`, { method: 'POST', body: { type: 5 }, token: null });
	expect(answer.status).toBe(204);
	await clock.advance(1000);
	expect((await rest(sim, '/users/@me')).status).toBe(200);
});

test('S59 10,001 invalid requests in ten minutes block the address; those of a shared limit do not count', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock, rest: { invalidLimit: 20 } });
	const shared = sim.faults.restRateLimit({ scope: 'shared' });
	for (let n = 0; n < 30; n++) expect((await rest(sim, '/users/@me')).status).toBe(429);
	sim.faults.end(shared);
	for (let n = 0; n < 20; n++) expect((await rest(sim, '/users/@me', { token: 'wrong' })).status).toBe(401);
	expect((await rest(sim, '/users/@me')).status).toBe(200);
	expect((await rest(sim, '/users/@me', { token: 'wrong' })).status).toBe(401);
	const blocked = await rest(sim, '/users/@me');
	expect([blocked.status, blocked.json, blocked.headers.get('x-ratelimit-scope')]).toEqual([429, undefined, null]);
	expect(blocked.text).toContain('1015');
	await clock.advance(3_600_000);
	expect((await rest(sim, '/users/@me')).status).toBe(200);
});

test('the default of that limit is 10,000', async () => {
	const { resolveSimulatorOptions } = await import('../../src/options.js');
	expect(resolveSimulatorOptions().rest).toEqual({
		globalPerSecond: 50,
		invalidLimit: 10_000,
		blockMs: 3_600_000,
		buckets: true,
	});
});
