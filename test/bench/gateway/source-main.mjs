// The process of Discord in the gateway's benchmark: several simulators, one for each path on which events are measured, and the
// events they send.
import { ipcPort, Peer } from '@shardctl/rpc';
import { createSimulator } from '@shardctl/simulator';
import { eventMaker } from './events.mjs';

process.on('disconnect', () => process.exit());
const peer = new Peer({ port: ipcPort(process), epoch: 1 });
const ways = new Map();

peer.handle('create', async ({ way, ...options }) => {
	const simulator = await createSimulator({ heartbeatGraceFactor: 100, ...options });
	ways.set(way, { simulator, make: eventMaker(simulator.world), arrived: 0, hushed: false });
	return { api: simulator.url, token: simulator.token, url: `ws://127.0.0.1:${simulator.port}` };
});

/** Sends a number of events as fast as they are read, with a limit on those in flight. Returns their mean size. */
peer.handle('flood', async ({ way, kind, events, ahead }) => {
	const { simulator, make } = ways.get(way);
	const before = ways.get(way).arrived;
	let bytes = 0;
	for (let sent = 0; sent < events; ) {
		const until = Math.min(events, ways.get(way).arrived - before + ahead, sent + 100);
		for (; sent < until; sent++) {
			const event = make[kind]();
			if (sent % 100 === 0) bytes += JSON.stringify({ t: event.type, s: 1_000_000, op: 0, d: event.data }).length;
			simulator.world.emit(event);
		}
		await new Promise((resolve) => setImmediate(resolve));
	}
	return { meanBytes: bytes / Math.ceil(events / 100) };
});
peer.on('arrived', ({ way, events }) => {
	ways.get(way).arrived += events;
});

/** Sends events at a steady rate: one at a time, each in its own turn, so that they are never sent in batches. */
peer.handle('pace', ({ way, kind, perSecond, forMs }) => {
	const line = ways.get(way);
	const { simulator, make } = line;
	const nothing = new Int32Array(new SharedArrayBuffer(4));
	const startedAt = performance.now();
	let sent = 0;
	return new Promise((resolve) => {
		const next = () => {
			const due = startedAt + ((sent + 1) * 1000) / perSecond;
			const waitMs = due - performance.now();
			// Timers have millisecond resolution; this sleeps exactly, and uses no processor time.
			if (waitMs > 0) Atomics.wait(nothing, 0, 0, waitMs);
			simulator.world.emit(make[kind]());
			sent++;
			if (line.hushed || (forMs !== null && performance.now() - startedAt >= forMs)) resolve({ sent });
			else setImmediate(next);
		};
		next();
	});
});
/** Ends an endless {@link pace}. */
peer.handle('hush', ({ way }) => {
	ways.get(way).hushed = true;
	return null;
});
peer.handle('stop', async () => {
	await Promise.all([...ways.values()].map(({ simulator }) => simulator.stop()));
	return null;
});
