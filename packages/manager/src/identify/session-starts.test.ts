import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ShardctlError } from '@shardctl/core';
import { fakeClock, waitFor } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LocalIdentifyCoordinator } from './local-coordinator.js';
import { SessionStarts, type StartRequest } from './session-starts.js';

/** A gateway endpoint with a variable response, and the session starts that request it. */
async function setUp({ remaining = 1000, status = 200 } = {}) {
	const api = { remaining, status, asked: 0, maxConcurrency: 1, paths: [] as string[] };
	const through: { path?: string; origin?: string } = {};
	const server = createServer(({ url = '' }, response) => {
		api.asked++;
		api.paths.push(url);
		response.writeHead(api.status, { 'content-type': 'application/json' });
		response.end(
			JSON.stringify({
				url: 'ws://gateway',
				shards: 2,
				session_start_limit: { total: 1000, remaining: api.remaining, reset_after: 60_000, max_concurrency: api.maxConcurrency },
			}),
		);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => void server.close());
	const clock = fakeClock();
	const stale: ShardctlError[] = [];
	const retries: number[] = [];
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const starts = new SessionStarts({
		api: `${origin}/api`,
		via: () => through.path && `${through.origin ?? origin}${through.path}`,
		token: 'x',
		clock,
		coordinator: new LocalIdentifyCoordinator({ clock, reserve: 50 }),
		onStale: (error) => stale.push(error),
		onRetry: (_, delayMs) => retries.push(delayMs),
	});
	return { api, clock, starts, stale, retries, through };
}

const never = new AbortController().signal;
const automatic: StartRequest = { automatic: true, onDeferred: () => {}, onRefused: () => {} };

describe('SessionStarts', () => {
	it('asks Discord once for all requests within a few seconds', async () => {
		const { api, clock, starts } = await setUp();
		await Promise.all([starts.gateway(), starts.gateway()]);
		await starts.gateway();
		expect(api.asked).toBe(1);
		await clock.advance(5000);
		await starts.gateway();
		expect(api.asked).toBe(2);
	});

	it('asks where the requests of the bot are counted, and names Discord in what it reports', async () => {
		const { api, clock, starts, through, stale } = await setUp();
		await starts.gateway();
		expect(api.paths).toEqual(['/api/v10/gateway/bot']);
		through.path = '/secret/of/a/caller';
		await clock.advance(5000);
		await starts.gateway();
		expect(api.paths).toEqual(['/api/v10/gateway/bot', '/secret/of/a/caller/v10/gateway/bot']);
		api.status = 503;
		await clock.advance(5000);
		await starts.gateway();
		expect(stale.map(({ message }) => message)).toEqual([expect.stringMatching(/\/api\/v10\/gateway\/bot answered 503/)]);
		expect(stale[0]?.message).not.toContain('secret');
		// Nothing listens there: a process that has ended.
		api.status = 200;
		through.origin = 'http://127.0.0.1:1';
		await clock.advance(5000);
		await starts.refresh({ maxAgeMs: 0 });
		expect(api.paths.at(-1)).toBe('/api/v10/gateway/bot');
		expect(stale).toHaveLength(1);
	});

	it('keeps using the last response while the API is down, and reports it', async () => {
		const { api, clock, starts, stale } = await setUp();
		await starts.gateway();
		api.status = 503;
		await clock.advance(5000);
		await expect(starts.beforeRestart(1, automatic, never)).resolves.toBeUndefined();
		await waitFor('word of it', () => stale.length === 1);
	});

	it('fails when the API does not respond the first time, because there is no earlier response', async () => {
		const { starts } = await setUp({ status: 503 });
		await expect(starts.gateway()).rejects.toMatchObject({ code: 'API_UNREACHABLE', details: { status: 503 } });
	});

	it('B12: a start asks again while Discord answers with a fault of its own, ever more rarely, for some minutes', async () => {
		const { api, clock, starts, retries } = await setUp({ status: 503 });
		const info = starts.firstGateway(never);
		for (const delayMs of [1000, 2000, 4000]) {
			await waitFor('the next wait', () => retries.at(-1) === delayMs && clock.pendingTimers() > 0);
			if (delayMs === 4000) api.status = 200;
			await clock.advance(delayMs);
		}
		expect((await info).shards).toBe(2);
		expect(retries).toEqual([1000, 2000, 4000]);
	});

	it('B12: such a start ends with the fault when it lasts, and when it is stopped', async () => {
		const { clock, starts, retries } = await setUp({ status: 500 });
		const info = starts.firstGateway(never).catch((error: unknown) => error);
		for (
			let tries = 1;
			await Promise.race([info.then(() => false), waitFor('a wait', () => retries.length === tries)]);
			tries++
		) {
			await clock.advance(retries.at(-1) ?? 0);
		}
		expect(await info).toMatchObject({ code: 'API_UNREACHABLE', details: { status: 500 } });
		expect(retries.reduce((sum, delayMs) => sum + delayMs, 0)).toBeLessThanOrEqual(5 * 60_000);
		const abort = new AbortController();
		const stopped = starts.firstGateway(abort.signal);
		abort.abort(new Error('stopped'));
		await expect(stopped).rejects.toThrow('stopped');
	});

	it('lets a process boot while Discord is asked, but no IDENTIFY before the response: on 401 there is none', async () => {
		const { api, clock, starts } = await setUp();
		await starts.gateway();
		api.status = 401;
		await clock.advance(5000);
		const refused: ShardctlError[] = [];
		const request: StartRequest = { ...automatic, onRefused: (error) => refused.push(error) };
		await starts.beforeRestart(1, request, never);
		const ended = new AbortController();
		const identify = starts.acquireIdentify(0, request, ended.signal);
		await waitFor('the refusal', () => refused.length > 0);
		expect(starts.refusal).toMatchObject({ code: 'TOKEN_INVALID' });
		ended.abort(new Error('the worker ended'));
		await expect(identify).rejects.toThrow('the worker ended');
		expect(starts.budget().remaining).toBe(1000);
		await expect(starts.beforeRestart(1, automatic, never)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
	});

	it('waits for the response when the budget may not suffice', async () => {
		const { api, clock, starts } = await setUp({ remaining: 10 });
		await starts.gateway();
		let deferred = 0;
		const restart = starts.beforeRestart(1, { ...automatic, onDeferred: () => deferred++ }, never);
		await waitFor('the deferral', () => deferred === 1);
		api.remaining = 1000;
		await clock.advance(60_000);
		await restart;
		expect(deferred).toBe(1);
	});

	it('rejects a start that needs more session starts than the day has left', async () => {
		const { starts } = await setUp({ remaining: 7 });
		await starts.gateway();
		await expect(starts.checkStart(7)).resolves.toBeUndefined();
		await expect(starts.checkStart(8)).rejects.toThrow(/the start needs 8 session starts, and Discord allows 7 more/);
	});

	it('allows no restart and no IDENTIFY after a refusal', async () => {
		const { starts } = await setUp();
		await starts.gateway();
		const refusal = new ShardctlError('DISCORD_FATAL', 'closed with 4014');
		starts.refuse(refusal);
		starts.refuse(new ShardctlError('DISCORD_FATAL', 'later'));
		expect(starts.refusal).toBe(refusal);
		await expect(starts.beforeRestart(1, automatic, never)).rejects.toBe(refusal);
		// A user who requests it confirms that the reason is resolved.
		await expect(starts.beforeRestart(1, { ...automatic, automatic: false }, never)).resolves.toBeUndefined();
	});
});
