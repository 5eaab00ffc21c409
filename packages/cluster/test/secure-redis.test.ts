// A Redis with TLS, with certificates of its clients, and on IPv6: what connects, and what is refused with what to do.
import { networkInterfaces } from 'node:os';
import { tempDir } from '@shardctl/test-support';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timingsFor } from '../src/lease/timings.js';
import { ClusterNode } from '../src/node/cluster-node.js';
import { IoredisPort, type IoredisPortOptions } from '../src/redis/ioredis-port.js';
import { clusterKeys } from '../src/redis/keys.js';
import { type Authority, certificateAuthority, hasOpenssl } from './support/certificates.js';
import { FakeHost } from './support/fake-host.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from './support/redis-server.js';

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

function notice(missing: boolean, what: string, covers: string): boolean {
	if (missing) process.stderr.write(`NOT TESTED, because ${what} is missing: ${covers}\n`);
	return missing;
}

async function refusal(options: IoredisPortOptions): Promise<unknown> {
	const port = new IoredisPort(options);
	try {
		return await port.ready(1500).catch((error: unknown) => error);
	} finally {
		await port.close();
	}
}

describeWithRedis('a Redis with TLS, with certificates of its clients, and on IPv6', () => {
	describe.skipIf(notice(!hasOpenssl, 'openssl', 'TLS and certificates of clients'))('with TLS', () => {
		let authority: Authority;
		let stranger: Authority;
		let open: RedisServer;
		let mutual: RedisServer;
		beforeAll(async () => {
			const dir = tempDir('shardctl-tls-', afterAll);
			authority = certificateAuthority(dir);
			stranger = certificateAuthority(dir, 'stranger');
			const server = authority.sign('server');
			open = await redisServer({ tls: { ca: authority.ca, ...server, clients: 'no' } });
			mutual = await redisServer({ tls: { ca: authority.ca, ...server, clients: 'yes' } });
		});
		afterAll(async () => {
			await open?.close();
			await mutual?.close();
		});

		it('carries a node over rediss:// with the authority that is named', async () => {
			const redis = await connectTo(open, { tls: { ca: authority.readCa() } });
			const node = new ClusterNode({
				redis,
				keys: clusterKeys('tls'),
				timings: timingsFor({ leaseMs: 1000 }),
				host: new FakeHost('a', []),
				member: { name: 'a', version: '0', pid: 1, startedAt: 1, capacity: 10 },
				layout: { totalShards: 1, sessions: 1 },
			});
			try {
				await node.start();
				await expect.poll(() => node.mayAct(0)).toBe(true);
			} finally {
				await node.stop();
				await redis.close();
			}
		});

		it('is refused where another authority has signed its certificate', async () => {
			for (const tls of [undefined, { ca: stranger.readCa() }]) {
				expect(await refusal({ url: open.url, ...(tls && { tls }) })).toMatchObject({
					code: 'REDIS_UNAVAILABLE',
					message: expect.stringContaining('--cluster-ca'),
				});
			}
		});

		it('is refused where the URL says redis:// and where it says rediss:// to a port without TLS', async () => {
			expect(await refusal({ url: open.url.replace('rediss:', 'redis:') })).toMatchObject({
				code: 'REDIS_UNAVAILABLE',
				message: expect.stringContaining('rediss://'),
			});
			const plain = await redisServer();
			try {
				expect(await refusal({ url: plain.url.replace('redis:', 'rediss:') })).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
			} finally {
				await plain.close();
			}
		});

		it('lets in the clients that its authority has signed, and says which files are missing to any other', async () => {
			const ca = authority.readCa();
			const known = await connectTo(mutual, { tls: { ca, ...authority.sign('client').read() } });
			expect(await known.batch([['PING']])).toEqual([Buffer.from('PONG')]);
			await known.close();
			for (const tls of [{ ca }, { ca, ...stranger.sign('other').read() }]) {
				expect(await refusal({ url: mutual.url, tls })).toMatchObject({
					code: 'REDIS_UNAVAILABLE',
					message: expect.stringMatching(/--cluster-cert.*--cluster-key/),
				});
			}
		});
	});

	it.skipIf(notice(!hasIpv6, 'an IPv6 loopback address', 'addresses of IPv6'))('is reached by an address of IPv6', async () => {
		const server = await redisServer({ host: '::1' });
		const redis = await connectTo(server);
		try {
			expect(server.url).toMatch(/^redis:\/\/\[::1\]:\d+$/);
			expect(await redis.batch([['PING']])).toEqual([Buffer.from('PONG')]);
			const stop = await redis.subscribe('test', () => {});
			expect(await redis.publish('test', 'x')).toBe(1);
			await stop();
		} finally {
			await redis.close();
			await server.close();
		}
		expect(await refusal({ url: server.url })).toMatchObject({ message: expect.stringContaining('redis://[::1]:') });
	});
});
