// Clients that keep the simulator waiting: each is closed within a limit that is reported in the log, and the others are served.
import { fakeClock, slowClients, waitFor } from '@shardctl/test-support';
import { expect, onTestFinished, test } from 'vitest';
import { connected, rest, simulator } from './raw-client.js';

test.each([
	['send nothing', () => {}],
	['send their request byte by byte', (clients: { sendByte(): void }) => clients.sendByte()],
])('closes 1,000 connections that %s, and serves a bot meanwhile', async (_, act) => {
	const clock = fakeClock();
	const sim = await simulator({ clock, shards: 1 });
	const slow = await slowClients({ port: sim.port, host: '127.0.0.1' }, 1000);
	onTestFinished(() => slow.close());
	const client = await connected(sim);
	let seconds = 0;
	await waitFor('their end', async () => {
		act(slow);
		seconds++;
		await clock.advance(1000);
		return slow.open() === 0;
	});
	expect(seconds).toBeGreaterThanOrEqual(30);
	sim.emit('MESSAGE_CREATE', { content: 'still here' });
	expect((await client.next('MESSAGE_CREATE')).d.content).toBe('still here');
	expect((await rest(sim, '/gateway')).status).toBe(200);
	await clock.advance(10_000);
	const refused = sim.log.entries({ type: 'refused' });
	expect(refused[0]).toMatchObject({ detail: 'closed a connection: it sent no request within 30 s' });
	expect(refused.length).toBeLessThan(5);
});
