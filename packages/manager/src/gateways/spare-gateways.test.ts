import { gatewayConfigVariable, type PassedGatewayConfig } from '@shardctl/core';
import type { ChildSpec, ProcessHost } from '@shardctl/supervisor';
import { type ScriptedEnd, scriptedHost } from '@shardctl/supervisor/testing';
import { fakeClock } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { SpareGateways } from './spare-gateways.js';

/** Whatever a spare is started with. */
const follow = '{"follows":true}';
const spec = (config: string, token = 'secret'): ChildSpec => ({
	id: 'gateway 0',
	file: 'gateway.mjs',
	execArgv: ['--flag'],
	env: { DISCORD_TOKEN: token, [gatewayConfigVariable]: config },
});
const follows = { ...spec(follow), id: 'spare gateway' };

function setUp(host: (inner: ProcessHost) => ProcessHost = (inner) => inner) {
	const clock = fakeClock();
	const started: ScriptedEnd[] = [];
	const passed: unknown[] = [];
	const processes = scriptedHost((end) => {
		started.push(end);
		end.onMessage((message) => passed.push((message as PassedGatewayConfig).shardctlGatewayConfig));
	});
	const spares = new SpareGateways({ host: host(processes), clock, spec: () => follows });
	onTestFinished(() => spares.close());
	return { clock, started, passed, processes, spares };
}
const long = 60_000;

it('start one after the other when nothing else was started for a while', async () => {
	const { clock, spares, started } = setUp();
	spares.keep(2);
	await clock.advance(2900);
	spares.start(spec('{}'));
	await clock.advance(2900);
	expect(started).toHaveLength(1);
	await clock.advance(200);
	expect(started.map(({ spec: { env } }) => env[gatewayConfigVariable])).toEqual(['{}', follow]);
	await clock.advance(long);
	expect([spares.count, started.length]).toEqual([2, 3]);
});

it('are used in place of a start, with the configuration as a message, and replaced', async () => {
	const { clock, spares, started, passed } = setUp();
	spares.keep(1);
	await clock.advance(long);
	const handle = spares.start(spec('{"gatewayId":7}'));
	expect([started.length, spares.count]).toEqual([1, 0]);
	await clock.advance(1);
	expect(passed).toEqual([{ gatewayId: 7 }]);
	await clock.advance(long);
	expect([spares.count, started.length]).toEqual([1, 2]);
	expect(started[1]?.spec.env).toEqual(follows.env);
	handle.kill();
	await clock.advance(long);
	// The end of one that is used is the affair of its user.
	expect([spares.count, started.length]).toEqual([1, 2]);
});

it('are not used for a process that is started in another way', async () => {
	const { clock, spares, started } = setUp();
	spares.keep(1);
	await clock.advance(long);
	spares.start(spec('{}', 'another token'));
	spares.start({ ...spec('{}'), execArgv: [] } as ChildSpec);
	expect(spares.count).toBe(1);
	await clock.advance(1);
	expect(started).toHaveLength(3);
});

it('are not used once they have ended, and are replaced later', async () => {
	const { clock, spares, started } = setUp();
	spares.keep(1);
	await clock.advance(long);
	started[0]?.exit(1);
	await clock.advance(1);
	expect(spares.count).toBe(0);
	spares.start(spec('{}'));
	await clock.advance(long);
	expect(started.map(({ spec: { env } }) => env[gatewayConfigVariable])).toEqual([follow, '{}', follow]);
});

it('are tried again where one cannot be started, and other starts do not suffer', async () => {
	let fails = true;
	const { clock, spares } = setUp((inner) => ({
		claimOomKill: () => inner.claimOomKill(),
		start: (wanted) => {
			if (fails && wanted.id === 'spare gateway') throw new Error('no memory');
			return inner.start(wanted);
		},
	}));
	spares.keep(1);
	await clock.advance(long);
	expect(spares.count).toBe(0);
	expect(spares.start(spec('{}')).pid).not.toBeNull();
	fails = false;
	await clock.advance(long);
	expect(spares.count).toBe(1);
});

it('end with their owner, and none starts afterwards', async () => {
	const { clock, spares, processes } = setUp();
	spares.keep(3);
	await clock.advance(long);
	expect(processes.living()).toBe(3);
	await spares.close();
	spares.keep(5);
	await clock.advance(long);
	expect([processes.living(), spares.count]).toEqual([0, 0]);
});

it('are not ended where fewer are wanted: the next sessions use them', async () => {
	const { clock, spares, started } = setUp();
	spares.keep(2);
	await clock.advance(long);
	spares.keep(1);
	spares.start(spec('{}'));
	await clock.advance(long);
	expect([spares.count, started.length]).toEqual([1, 2]);
});
