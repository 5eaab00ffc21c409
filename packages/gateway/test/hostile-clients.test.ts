// A real gateway process, as a manager starts it, under requests that no client should send: it keeps running, serves its worker, and grants nothing.
// `FUZZ_INPUTS` is the number of random requests (default 2,000).
import { readFileSync } from 'node:fs';
import { WorkerPaths } from '@shardctl/core';
import { hostileFrames, hostileRequests, seededRandom, waitFor } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import { Client, expectUndisturbed, GatewayProcess, Neighbour } from './support/gateway-process.js';

const pathSecret = 'of this fleet';
const path = new WorkerPaths(pathSecret).of(1);
const inputs = Number(process.env.FUZZ_INPUTS ?? 2000);

async function start(): Promise<{ gateway: GatewayProcess; neighbour: Neighbour }> {
	const gateway = await GatewayProcess.start({ config: { pathSecret, workers: [{ incarnation: 1, shardIds: [0, 1] }] } });
	const client = await Client.connect(gateway.port, { path });
	client.identify(gateway, 1);
	await waitFor('READY and the guilds', () => client.isReady);
	return { gateway, neighbour: new Neighbour(gateway, 1, client) };
}

test('finding 1: responds to random targets, headers, framings and upgrades, and keeps running', async () => {
	const { gateway, neighbour } = await start();
	const { pid } = gateway;
	const before = rssOf(pid);
	const requests = hostileRequests(seededRandom(16));
	const statuses = new Map<number, number>();
	let left = inputs;
	const attacker = async () => {
		while (left-- > 0) {
			const status = await requests.send(gateway.port);
			statuses.set(status, (statuses.get(status) ?? 0) + 1);
		}
	};
	await Promise.all(Array.from({ length: 16 }, attacker));
	expect(gateway.pid).toBe(pid);
	expect([101, 200, 500].map((status) => statuses.get(status))).toEqual([undefined, undefined, undefined]);
	expect(statuses.get(400)).toBeGreaterThan(inputs / 20);
	expect(rssOf(pid) - before).toBeLessThan(150 * 2 ** 20);
	await expectUndisturbed(neighbour);
});

test('finding 11: reports 2,000 clients without a valid path in a handful of notices', async () => {
	const { gateway, neighbour } = await start();
	let left = 2000;
	const attacker = async () => {
		while (left-- > 0) {
			const opened = await Client.connect(gateway.port).catch((error: Error) => error.message);
			expect(opened).toMatch(/403/);
		}
	};
	await Promise.all(Array.from({ length: 16 }, attacker));
	expect(gateway.notices.filter(({ kind }) => kind === 'worker:refused').length).toBeLessThan(10);
	await expectUndisturbed(neighbour);
});

test("closes only the connections on a worker's path that send random frames or break", async () => {
	const { gateway, neighbour } = await start();
	const hostile = hostileFrames(seededRandom(17));
	let left = Number(process.env.FUZZ_INPUTS ?? 1000);
	const attacker = async () => {
		while (left-- > 0) {
			if (left % 5 === 0) await hostile.brokenConnection(gateway.port);
			else {
				const client = await Client.connect(gateway.port, { path });
				client.send(hostile.attack().data);
				await client.closed;
			}
		}
	};
	await Promise.all(Array.from({ length: 16 }, attacker));
	await expectUndisturbed(neighbour);
});

function rssOf(pid: number): number {
	const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
	return Number(kilobytes) * 1024;
}
