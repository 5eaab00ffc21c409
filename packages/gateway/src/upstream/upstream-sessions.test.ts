// With a simulated Discord on a real socket: what one session receives while another one is about to replace it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemClock } from '@shardctl/core';
import { createSimulator, type SimulatorOptions } from '@shardctl/simulator';
import { waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { ConnectLimit } from './connect-limit.js';
import { UpstreamSessions } from './upstream-sessions.js';

const messageContent = 32_768;
const guildMembers = 2;
/** GUILDS, GUILD_MESSAGES and MESSAGE_CONTENT; with GUILD_MEMBERS; with GUILD_PRESENCES too. */
const few = 1 | 512 | messageContent;
const more = few | guildMembers;
const most = more | 256;

const terms = (intents: number) => ({ intents, largeThreshold: null, presence: null });

async function setup(options: SimulatorOptions = {}) {
	const simulator = await createSimulator({ guilds: 2, shards: 1, identifyWindowMs: 0, ...options });
	const events: string[] = [];
	const repeated: string[] = [];
	/** Repeated events that the present session has passed on, which reach the worker twice. */
	const repeatedLate: string[] = [];
	let isAccepted = false;
	const slots: (() => void)[] = [];
	let slotsAreGiven = true;
	const sessions = new UpstreamSessions({
		shardId: 0,
		totalShards: 1,
		token: simulator.token,
		gateway: {
			url: `ws://127.0.0.1:${simulator.port}`,
			shards: 1,
			session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 },
		},
		compression: 'none',
		connects: new ConnectLimit(2),
		clock: systemClock,
		waitForIdentify: (signal) => {
			if (slotsAreGiven) return Promise.resolve();
			return new Promise((resolve, reject) => {
				slots.push(resolve);
				signal.addEventListener('abort', () => reject(signal.reason), { once: true });
			});
		},
		onDispatch: (dispatch) => {
			const { t, d } = dispatch;
			if (dispatch.repeated && isAccepted) repeatedLate.push(t);
			(dispatch.repeated ? repeated : events).push(t === 'MESSAGE_CREATE' ? (d as { content: string }).content : t);
		},
		onReady: () => void events.push('ready'),
		onResumed: () => void events.push('resumed'),
		onClosed: ({ code }) => void events.push(`closed ${code}`),
		onSessionLost: () => void events.push('lost'),
		onRefused: (code) => void events.push(`refused ${code}`),
		onPing: () => {},
		onRequestsDropped: () => {},
		onRequestsNormal: () => {},
	});
	onTestFinished(async () => {
		await sessions.stop({ keepSession: false });
		await simulator.stop();
	});
	return {
		simulator,
		sessions,
		events,
		repeated,
		repeatedLate,
		accept: () => {
			isAccepted = true;
		},
		/** Prevents every later IDENTIFY. */
		holdSlots: () => {
			slotsAreGiven = false;
		},
		say: async (content: string) => {
			simulator.emit('MESSAGE_CREATE', { content });
			await waitFor(content, () => events.includes(content));
		},
		start: async (intents: number) => {
			sessions.start(terms(intents));
			await waitFor('a session', () => events.filter((what) => what === 'GUILD_CREATE').length === 2);
		},
	};
}

it('reports which intents the current session lacks, and none before there is one', async () => {
	const { sessions, start } = await setup();
	expect(sessions.missing(most)).toBe(0);
	await start(few);
	expect([sessions.missing(few), sessions.missing(more), sessions.status]).toEqual([0, guildMembers, 'ready']);
});

it('replaces the current session with one of more intents', async () => {
	const { simulator, sessions, events, say, start } = await setup();
	await start(few);
	await say('one');
	const before = sessions.saved;
	expect(await sessions.renew(terms(more))).toBe('accepted');
	await waitFor('the end of the session before', () => simulator.state().sessions.length === 1);
	await say('two');
	expect(sessions.missing(more)).toBe(0);
	expect(sessions.saved?.sessionId).not.toBe(before?.sessionId);
	// The end of the first session is not reported.
	expect(events.filter((what) => !/^(GUILD_CREATE|ready)$/.test(what))).toEqual(['READY', 'one', 'READY', 'two']);
});

it.each([
	['whichever of the two sessions sends it first', 0],
	['also what the other session sends only half a second later', 500],
])('passes each event on once, %s', async (_, behindMs) => {
	const { simulator, sessions, events, repeated, repeatedLate, accept, start } = await setup();
	await start(few);
	let said = 0;
	let talking = true;
	const talk = async () => {
		while (talking) {
			simulator.emit('MESSAGE_CREATE', { content: `n${said++}` });
			await nextTurn();
		}
	};
	const talked = talk();
	const present = simulator.state().sessions.map(({ sessionId }) => sessionId);
	const renewed = sessions.renew(terms(more));
	const other = await waitFor('the other session', () =>
		simulator.state().sessions.find(({ sessionId }) => !present.includes(sessionId)),
	);
	if (behindMs > 0) simulator.faults.latency({ ms: behindMs, sessionId: other.sessionId });
	expect(await renewed).toBe('accepted');
	accept();
	const saidBefore = said;
	await waitFor('more to be said', () => said > saidBefore + 50);
	talking = false;
	await talked;
	const numbers = Array.from({ length: said }, (_, number) => `n${number}`);
	await waitFor('the last one', () => events.includes(`n${said - 1}`));
	expect(events.filter((what) => what.startsWith('n'))).toEqual(numbers);
	// Only then is the state of the new session, with which the worker's is compared, as new as that.
	expect(repeatedLate).toEqual([]);
	expect(events.filter((what) => what === 'GUILD_CREATE')).toHaveLength(4);
	// Both sent much of it, and the state of the new session gets all of that.
	expect(repeated.length).toBeGreaterThan(0);
	expect(repeated).toEqual(numbers.slice(numbers.indexOf(repeated[0] as string)).slice(0, repeated.length));
});

it('keeps the current session when Discord refuses the other', async () => {
	const { simulator, sessions, events, say, start } = await setup({ grantedIntents: messageContent });
	await start(few);
	expect(await sessions.renew(terms(more))).toEqual({ refusedWith: 4014 });
	await say('still here');
	expect([sessions.refusedWith, sessions.missing(more)]).toEqual([undefined, guildMembers]);
	expect(events.filter((what) => /refused|closed|lost/.test(what))).toEqual([]);
	expect(simulator.state().sessions).toHaveLength(1);
});

it('cancels a session that is no longer wanted, also for the next request', async () => {
	const { simulator, sessions, say, start, holdSlots } = await setup();
	await start(few);
	holdSlots();
	const first = sessions.renew(terms(more));
	const second = sessions.renew(terms(most));
	expect(await first).toBe('cancelled');
	sessions.cancelRenewal();
	expect(await second).toBe('cancelled');
	await say('still here');
	expect(simulator.log.entries({ type: 'identify' })).toHaveLength(1);
});

it('tries again after a refusal when a caller reports that the reason is resolved', async () => {
	const { sessions, events, start } = await setup({ grantedIntents: messageContent });
	sessions.start(terms(more));
	await waitFor('the refusal', () => sessions.refusedWith !== undefined);
	expect([sessions.refusedWith, sessions.status, events]).toEqual([4014, 'refused', ['refused 4014']]);
	await start(few);
	expect(sessions.refusedWith).toBe(undefined);
});
