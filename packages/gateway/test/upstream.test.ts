// A session with Discord through everything that breaks connections, on real sockets, compressed and plain: every event arrives
// once and in order, and no IDENTIFY is spent that Discord does not require.
import { deferred, systemClock, type UpstreamCompression } from '@shardctl/core';
import { createSimulator, type SimulatorOptions } from '@shardctl/simulator';
import { networkTo, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { ConnectLimit } from '../src/upstream/connect-limit.js';
import { UpstreamSessions } from '../src/upstream/upstream-sessions.js';
import { UpstreamShard } from '../src/upstream/upstream-shard.js';

const terms = { intents: 53_608_189, largeThreshold: null, presence: null };

async function setup(
	compression: UpstreamCompression,
	options: SimulatorOptions = {},
	more: Partial<ConstructorParameters<typeof UpstreamShard>[0]> = {},
) {
	const simulator = await createSimulator({ guilds: 3, shards: 1, identifyWindowMs: 100, allowRemote: true, ...options });
	const network = await networkTo(simulator.port);
	const url = `ws://127.0.0.1:${network.port}`;
	const numbers: number[] = [];
	let newest = 0;
	const events: string[] = [];
	const reasons: string[] = [];
	const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 };
	const common = {
		shardId: 0,
		totalShards: 1,
		token: simulator.token,
		gateway: { url, shards: 1, session_start_limit: limit },
		compression,
		connects: new ConnectLimit(1),
		clock: systemClock,
		waitForIdentify: async () => {},
		onReady: () => {},
		onResumed: () => {},
		onClosed: () => {},
		onSessionLost: () => {},
		onRefused: () => {},
		onPing: () => {},
		onRequestsDropped: () => {},
		onRequestsNormal: () => {},
	};
	const upstream: UpstreamShard = new UpstreamShard({
		...common,
		onDispatch: ({ t, d }, seq) => {
			if (t === 'READY') newest = 0;
			// As the stream does: a resume may begin further back than needed.
			if (seq <= newest) return;
			newest = seq;
			if (t === 'MESSAGE_CREATE') numbers.push(Number((d as { content: string }).content));
		},
		onReady: () => void events.push('ready'),
		onResumed: () => void events.push('resumed'),
		onClosed: ({ code, reason }) => {
			events.push(`closed ${code}`);
			reasons.push(reason);
		},
		onSessionLost: () => void events.push('lost'),
		onRefused: (code) => void events.push(`refused ${code}`),
		...more,
	});
	onTestFinished(async () => {
		await network.restore();
		await upstream.stop({ keepSession: false });
		await network.close();
		await simulator.stop();
	});
	upstream.start(terms);
	let sent = 0;
	return {
		simulator,
		network,
		upstream,
		events,
		reasons,
		say(count: number) {
			for (let n = 0; n < count; n++) simulator.emit('MESSAGE_CREATE', { content: String(++sent) });
		},
		arrived: () => numbers.length,
		/** Resolves when every message has arrived, each once and in order. */
		async allHere() {
			await waitFor(`${sent} messages`, () => numbers.length >= sent);
			expect(numbers).toEqual(Array.from({ length: sent }, (_, n) => n + 1));
		},
		ready: () => waitFor('a session', () => upstream.status === 'ready'),
		async resumed(times: number) {
			const resumes = () => events.filter((what) => what === 'resumed').length;
			await waitFor(`resume ${times}`, () => resumes() >= times).catch((cause: unknown) => {
				throw new Error(`no resume ${times}: ${events.join(', ')}`, { cause });
			});
		},
		identifies: () => simulator.log.entries({ type: 'identify' }).length,
		connections: () => simulator.log.entries({ type: 'connection' }).length,
		/** Of the next process, with the messages that it receives. */
		next() {
			const received: number[] = [];
			const sessions = new UpstreamSessions({
				...common,
				onDispatch: ({ t, d }) => {
					if (t === 'MESSAGE_CREATE') received.push(Number((d as { content: string }).content));
				},
			});
			onTestFinished(() => sessions.stop({ keepSession: false }));
			return { sessions, received };
		},
		/** As it is saved for the next process. */
		saved() {
			const { saved } = upstream;
			if (!saved) throw new Error('there is no session');
			return saved;
		},
	};
}

it.each(['zlib-stream', 'none'] as const)(
	'keeps the session and every event through every broken connection (%s)',
	async (compression) => {
		const shard = await setup(compression);
		await shard.ready();
		const [connection] = shard.simulator.log.entries({ type: 'connection' });
		expect(connection).toMatchObject({ compression });
		shard.say(3000);
		await shard.allHere();
		const { faults } = shard.simulator;
		const breaks = [
			() => faults.drop({}),
			() => faults.close(4000, {}),
			() => faults.reconnect({}),
			() => faults.invalidate({ resumable: true }),
			() => faults.close(4008, {}),
		];
		for (const [index, breakIt] of breaks.entries()) {
			shard.say(100);
			breakIt();
			shard.say(100);
			await shard.resumed(index + 1);
		}
		shard.say(100);
		await shard.allHere();
		expect([shard.identifies(), shard.events.includes('lost')]).toEqual([1, false]);
	},
);

it('connects for the session of another process ahead of time, and resumes it on that connection when it is its own', async () => {
	const owner = await setup('zlib-stream');
	await owner.ready();
	owner.say(5);
	await owner.allHere();
	const resumes = () => owner.simulator.log.entries({ type: 'resume' }).length;
	const { sessions, received } = owner.next();
	sessions.approach(owner.saved());
	await waitFor('the second connection', () => owner.connections() === 2);
	owner.say(5);
	await owner.allHere();
	await owner.upstream.stop({ keepSession: true });
	expect([resumes(), sessions.status]).toEqual([0, 'idle']);
	// Behind READY and three guilds.
	sessions.resume(owner.saved(), 4);
	await waitFor('every message', () => received.length === 10);
	expect([resumes(), owner.connections(), sessions.status]).toEqual([1, 2, 'ready']);
});

it('resumes on a new connection where the one that was made ahead of time is of another session, or was closed', async () => {
	const owner = await setup('none');
	await owner.ready();
	const { sessions } = owner.next();
	sessions.approach({ ...owner.saved(), sessionId: 'of before' });
	await waitFor('the second connection', () => owner.connections() === 2);
	await owner.upstream.stop({ keepSession: true });
	sessions.resume(owner.saved(), 1);
	await waitFor('the session to be resumed', () => sessions.status === 'ready');
	await sessions.stop({ keepSession: true });

	const { sessions: last } = owner.next();
	last.approach(owner.saved());
	await waitFor('the fourth connection', () => owner.connections() === 4);
	await owner.network.cut();
	await owner.network.restore();
	last.resume(owner.saved(), 1);
	await waitFor('the session to be resumed', () => last.status === 'ready');
	expect([owner.identifies(), owner.connections()]).toEqual([1, 5]);
});

it('keeps the session while the network is down, and resumes when it is back', async () => {
	const shard = await setup('zlib-stream');
	await shard.ready();
	shard.say(10);
	await shard.network.cut();
	shard.say(10);
	// Long enough for several attempts, which are refused.
	await waitFor('closes', () => shard.events.filter((what) => what.startsWith('closed')).length >= 3);
	await shard.network.restore();
	await shard.resumed(1);
	await shard.allHere();
	expect([shard.identifies(), shard.events.includes('lost')]).toEqual([1, false]);
});

it('detects a connection that is dead without being closed, and resumes', async () => {
	const shard = await setup('zlib-stream', { heartbeatIntervalMs: 200, heartbeatGraceFactor: 100 });
	await shard.ready();
	const withheld = shard.simulator.faults.withholdAcks({});
	shard.say(20);
	await waitFor('a close', () => shard.events.some((what) => what.startsWith('closed')));
	shard.simulator.faults.end(withheld);
	await shard.resumed(1);
	await shard.allHere();
	expect(shard.identifies()).toBe(1);
	expect(shard.reasons).toEqual(['Discord acknowledged no heartbeat']);
});

it.each(['zlib-stream', 'none'] as const)(
	'reads nothing while that is stopped, and then everything, in order (%s)',
	async (compression) => {
		const shard = await setup(compression);
		await shard.ready();
		shard.say(10);
		await shard.allHere();
		shard.upstream.stopReading();
		shard.say(3000);
		await new Promise((resolve) => setTimeout(resolve, 100));
		expect(shard.arrived()).toBe(10);
		shard.upstream.continueReading();
		await shard.allHere();
		// A connection that is closed meanwhile answers, and so does its successor.
		shard.upstream.stopReading();
		shard.say(10);
		shard.simulator.faults.drop({});
		shard.say(10);
		shard.upstream.continueReading();
		await shard.resumed(1);
		await shard.allHere();
		expect(shard.identifies()).toBe(1);
	},
);

it('closes a connection at once that is not read', async () => {
	const shard = await setup('none');
	await shard.ready();
	shard.upstream.stopReading();
	const beganAt = Date.now();
	await shard.upstream.stop({ keepSession: true });
	expect(Date.now() - beganAt).toBeLessThan(10_000);
	expect(shard.simulator.log.entries({ type: 'close' })).toMatchObject([{ code: 4200 }]);
});

it('starts a new session only when Discord reports that the old one is gone', async () => {
	const shard = await setup('zlib-stream');
	await shard.ready();
	shard.say(10);
	await shard.allHere();
	shard.simulator.faults.invalidate({ resumable: false });
	await waitFor('another session', () => shard.events.filter((what) => what === 'ready').length === 2);
	expect(shard.events.filter((what) => what === 'lost')).toHaveLength(1);
	shard.say(10);
	await shard.allHere();
	expect(shard.identifies()).toBe(2);
});

it('sends no RESUME when the right to the session has ended while it connected, and resumes once the right is back', async () => {
	let mayAct = true;
	let permitted = 0;
	const back = deferred();
	const enter = async () => {
		permitted++;
		// It ends behind the permission to connect, as in a process that is stopped there.
		if (permitted === 2) mayAct = false;
		if (permitted === 3) await back.promise;
		return () => {};
	};
	const shard = await setup('none', {}, { mayAct: () => mayAct, connects: { enter } });
	await shard.ready();
	shard.say(10);
	await shard.allHere();
	shard.simulator.faults.drop({});
	shard.say(10);
	await waitFor('it to ask for another permission', () => permitted === 3);
	expect(shard.simulator.log.entries({ type: 'resume' })).toEqual([]);
	mayAct = true;
	back.resolve();
	await shard.resumed(1);
	await shard.allHere();
	expect([shard.identifies(), shard.events.includes('lost')]).toEqual([1, false]);
});

it('(41) holds requests of workers back while the session may be that of another process', async () => {
	let mayAct = true;
	const shard = await setup('none', {}, { mayAct: () => mayAct });
	await shard.ready();
	mayAct = false;
	shard.upstream.request({ op: 3, d: { since: null, activities: [], status: 'idle', afk: false } });
	expect(shard.upstream.requests.waiting).toBe(1);
	const presence = () => shard.simulator.state().sessions[0]?.presence;
	expect(presence()).toBe(null);
	mayAct = true;
	shard.upstream.requests.flush();
	await waitFor('the presence', () => presence() === 'idle');
});

it('stops retrying after a close code that a retry cannot fix', async () => {
	const shard = await setup('zlib-stream', { grantedIntents: 0 });
	await waitFor('the refusal', () => shard.upstream.status === 'refused');
	expect(shard.events).toContain('refused 4014');
	expect(shard.identifies()).toBe(1);
});
