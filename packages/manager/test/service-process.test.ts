// What a gateway process has in common with every other kind of service process, shown by a kind of a few lines: it is started, called,
// replaced and stopped, and its port outlives it.
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Peer, type Port } from '@shardctl/rpc';
import { expect, it, onTestFinished } from 'vitest';
import { heartbeatOf } from '../src/children/child-rules.js';
import { type ServiceLink, ServiceProcess, type ServiceReports } from '../src/children/service-process.js';

interface CountingMethods {
	ping: { params: null; result: null };
	served: { params: null; result: number };
	shutdown: { params: { forGood: boolean }; result: null };
}
interface CountingEvents {
	listening: { port: number };
	'connection.taken': { id: number };
}
type CountingPeer = Peer<Record<never, never>, CountingMethods, Record<never, never>, CountingEvents>;

function open(port: Port, epoch: number, reports: ServiceReports): ServiceLink<CountingPeer> {
	const peer: CountingPeer = new Peer({ port, epoch });
	peer.on('listening', () => reports.listening());
	peer.on('connection.taken', ({ id }) => reports.acknowledged(id));
	return {
		peer,
		ping: (signal) => peer.request('ping', null, { signal }),
		closeInspector: () => Promise.resolve(),
		shutdown: (_, { final }) => peer.request('shutdown', { forGood: final }),
	};
}

async function startCountingService() {
	const lines: string[] = [];
	const service = new ServiceProcess<CountingPeer>({
		id: 'counting',
		label: 'the counting service',
		file: fileURLToPath(new URL('fixtures/counting-service.mjs', import.meta.url)),
		execArgv: [],
		token: 'secret',
		configVariable: 'COUNTING_SERVICE',
		config: ({ epoch }) => ({ epoch, greeting: `process ${epoch}:` }),
		child: { policy: null, readyTimeoutMs: 60_000, shutdownGraceMs: 10_000, heartbeat: heartbeatOf(30_000) },
		onConnectionsClosed: () => {},
		connect: open,
	});
	service.child.on('log', ({ line }) => lines.push(line));
	onTestFinished(() => service.stop({ graceMs: 0 }));
	await service.open();
	return { service, lines };
}

async function visit({ port }: ServiceProcess<CountingPeer>): Promise<string> {
	const socket = connect(port, '127.0.0.1');
	let greeting = '';
	socket.on('data', (data) => {
		greeting += String(data);
	});
	await once(socket, 'close');
	return greeting;
}

const never = () => new AbortController().signal;

it('serves connections on one port over all of its processes, also those from before the first', async () => {
	const { service, lines } = await startCountingService();
	const { port } = service;
	const early = visit(service);
	expect(() => service.peer).toThrow(expect.objectContaining({ code: 'WORKER_UNAVAILABLE' }));
	service.child.start();
	await service.whenReady(never());
	expect(await early).toBe(`process 1: ${service.child.pid} secret`);
	expect(await service.peer.request('served', null)).toBe(1);

	expect(await service.restart('a test')).toBe(true);
	expect(lines).toEqual(['is replaced']);
	expect(service.port).toBe(port);
	expect(await visit(service)).toBe(`process 2: ${service.child.pid} secret`);
	expect(await service.peer.request('served', null)).toBe(1);

	await service.stop({});
	expect(lines.at(-1)).toBe('ends for good');
	await expect(visit(service)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it('settles the requests to a process that dies, and lets callers that wait for the next one abort', async () => {
	const { service } = await startCountingService();
	service.child.start();
	await service.whenReady(never());
	const { peer } = service;
	process.kill(service.child.pid as number, 'SIGSTOP');
	const asked = peer.request('served', null);
	process.kill(service.child.pid as number, 'SIGKILL');
	await expect(asked).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
	const abort = new AbortController();
	const waiting = service.whenReady(abort.signal);
	abort.abort(new Error('called off'));
	await expect(waiting).rejects.toThrow('called off');
	expect(service.child.listenerCount('ready')).toBe(0);
});

it('can be closed before its port is open', async () => {
	const { service } = await startCountingService();
	const other = new ServiceProcess<CountingPeer>({
		id: 'other',
		label: 'another',
		file: '',
		execArgv: [],
		token: '',
		configVariable: 'X',
		config: () => ({}),
		child: { policy: null, readyTimeoutMs: 0, shutdownGraceMs: 0, heartbeat: heartbeatOf(0) },
		onConnectionsClosed: () => {},
		connect: open,
	});
	const opened = other.open();
	await other.stop({});
	await opened;
	expect(other.port).toBe(0);
	expect(service.port).toBeGreaterThan(0);
});
