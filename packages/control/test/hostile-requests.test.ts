// The control API under requests that no client should send, on both of its sockets: each gets a response, and the fleet gets no request.
// `FUZZ_INPUTS` is the number of random requests (default 2,000).
import { ShardctlError, systemClock } from '@shardctl/core';
import { hostileBodies, hostileRequests, postBody, seededRandom, tempDir } from '@shardctl/test-support';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { endpoint, endpoints, type Operation } from '../src/api/endpoints.js';
import { startControl } from '../src/server/index.js';
import { FakeFleet } from './fake-fleet.js';

vi.mock('../src/dashboard/page-files.js', () => ({ readPage: () => new Map() }));

const token = 'a-token-of-sixteen-characters-or-more';

async function served(): Promise<{ fleet: FakeFleet; port: number }> {
	vi.stubEnv('SHARDCTL_STATE_DIR', tempDir('shardctl-state-'));
	onTestFinished(() => void vi.unstubAllEnvs());
	const fleet = new FakeFleet();
	const setup = { file: 'bot.js', logger: pino({ level: 'silent' }), clock: systemClock };
	const control = await startControl(fleet, { port: 0, token, allowEval: true }, setup);
	onTestFinished(() => control.close({ how: 'stopped', code: null, message: 'stopped by a test' }));
	return { fleet, port: Number(new URL(control.url as string).port) };
}

test('finding 1: responds to random targets, headers and framings, and never with 500', async () => {
	const { fleet, port } = await served();
	const requests = hostileRequests(seededRandom(16));
	const statuses = new Map<number, number>();
	const before = process.memoryUsage.rss();
	let left = Number(process.env.FUZZ_INPUTS ?? 2000);
	const inputs = left;
	const attacker = async () => {
		while (left-- > 0) {
			const status = await requests.send(port);
			statuses.set(status, (statuses.get(status) ?? 0) + 1);
		}
	};
	await Promise.all(Array.from({ length: 16 }, attacker));
	expect([...statuses.keys()].filter((status) => status >= 500 && status !== 501 && status !== 505)).toEqual([]);
	expect(statuses.get(401)).toBeGreaterThan(inputs / 10);
	expect(fleet.actions).toEqual([]);
	expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 2 ** 20);
});

test.each(['//', '//[', 'http://[', '*', '/%', '/v1//stats', '/v1/guilds/%zz', '/v1/guilds/%00'])(
	'finding 1: responds with 4xx to the target %s, also with the token',
	async (target) => {
		const { fleet, port } = await served();
		const { connect } = await import('node:net');
		const answer = await new Promise<string>((resolve) => {
			const socket = connect(port, '127.0.0.1');
			socket.once('data', (data) => {
				socket.destroy();
				resolve(data.toString());
			});
			socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`);
		});
		expect(answer).toMatch(/^HTTP\/1.1 4\d\d /);
		expect(fleet.actions).toEqual([]);
	},
);

/** A right body of each operation that has one. */
const examples: Partial<Record<Operation, readonly object[]>> = {
	stop: [{ graceMs: 1000 }, { reason: 'x' }],
	restart: [{ mode: 'rolling' }, { gateways: true }, { rest: true }],
	deploy: [{ wait: true }, { reason: 'x' }],
	deployCancel: [{ id: 1 }],
	reshard: [{ sessions: 4, dryRun: true }, { undo: true }],
	scale: [{ workers: 4 }],
	queueRetry: [{ id: '1700000000000-0' }, { id: 'all' }],
	queueDrop: [{ id: '1700000000000-0' }, { id: 'all' }],
	queueRemove: [{ group: 'commands' }],
	respawn: [{}],
	eval: [{ code: '1 + 1', shard: 0, timeoutMs: 1000 }],
	fetch: [{ path: 'guilds.cache.size', shard: 0 }],
	call: [{ name: 'handler', args: [1, { a: 'b' }], shard: 0 }],
	dashboard: [{ readOnly: true }],
	drain: [{ node: 'a', deadlineMs: 1000, wait: true }, { undo: true }],
	move: [{ node: 'b' }],
	rebalance: [{ dryRun: true }],
};

test('finding 15: responds to random bodies on every route that takes one, and keeps its memory', async () => {
	const { fleet, port } = await served();
	// A stop that is accepted is answered when the control API closes.
	fleet.stop = async () => {
		throw new ShardctlError('CALL_LIMIT', 'not now');
	};
	const given = async () => ({ count: 1, tooOld: 0 });
	Object.assign(fleet, {
		scale: async (workers: number) => ({ from: 1, to: workers }),
		queue: { dead: async () => [], retryDead: given, dropDead: given, removeGroup: async () => ({ unhandled: 0, dead: 0 }) },
	});
	const random = seededRandom(17);
	const routes = (Object.keys(endpoints) as Operation[]).filter((operation) => endpoint(operation).method === 'POST');
	expect(routes.filter((route) => !examples[route])).toEqual([]);
	const bodies = new Map(routes.map((route) => [route, hostileBodies(random, examples[route] ?? [])]));
	const statuses = new Map<string, number>();
	const before = process.memoryUsage.rss();
	let left = Number(process.env.FUZZ_INPUTS ?? 250) * routes.length;
	const client = async () => {
		while (left-- > 0) {
			const route = routes[left % routes.length] as Operation;
			const path = endpoint(route).path.replace('{shardId}', String(left % 5));
			const body = bodies.get(route)?.body() ?? '';
			const status = await postBody(`http://127.0.0.1:${port}${path}`, body, { authorization: `Bearer ${token}` });
			statuses.set(`${route} ${status}`, (statuses.get(`${route} ${status}`) ?? 0) + 1);
			fleet.actions.length = 0;
		}
	};
	await Promise.all(Array.from({ length: 16 }, client));
	const seen = [...statuses.keys()];
	expect(seen.filter((entry) => / (?:0|5\d\d)$/.test(entry))).toEqual([]);
	for (const route of routes) expect(seen).toContain(`${route} 400`);
	expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 2 ** 20);
});
