// The control API under requests that no client should send, on both of its sockets: each gets a response, and the fleet gets no request.
// `FUZZ_INPUTS` is the number of random requests (default 2,000).
import { systemClock } from '@shardctl/core';
import { hostileRequests, seededRandom, tempDir } from '@shardctl/test-support';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startControl } from '../src/server/index.js';
import { FakeFleet } from './fake-fleet.js';

const token = 'a-token-of-sixteen-characters-or-more';

async function served(): Promise<{ fleet: FakeFleet; port: number }> {
	vi.stubEnv('SHARDCTL_STATE_DIR', tempDir('shardctl-state-'));
	onTestFinished(() => void vi.unstubAllEnvs());
	const fleet = new FakeFleet();
	const setup = { file: 'bot.js', logger: pino({ level: 'silent' }), clock: systemClock };
	const control = await startControl(fleet, { port: 0, token }, setup);
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
