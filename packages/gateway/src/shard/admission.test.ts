import { type Deferred, deferred, type GatewayNotice } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { Admission } from './admission.js';
import { Handover } from './handover.js';
import type { Refusal, SessionLink } from './session-link.js';

const identify = { token: 't', properties: {}, intents: 1 };

function setup() {
	const clock = fakeClock();
	const notices: [GatewayNotice['kind'], string][] = [];
	const ready: Deferred<void> = deferred();
	const settled: Deferred<void> = deferred();
	const refusal: Deferred<undefined | 4014> = deferred();
	const session = { ensured: 'unchanged' as 'unchanged' | 'upgraded' | Refusal, presences: 0 };
	const handover = new Handover(0, 4, {
		pause: async () => true,
		released: async () => {},
		saveSuccessor: async () => {},
		promote: () => {},
		rollBack: () => {},
	});
	const admission = new Admission({
		handover,
		session: {
			ensure: async () => session.ensured,
			refusal: () => refusal.promise,
			showPresence: () => void session.presences++,
		} as unknown as SessionLink,
		stream: { whenReady: () => ready.promise, whenSettled: () => settled.promise },
		saved: { ensureSnapshot: async () => {} },
		clock,
		shard: {},
		notice: (...notice) => notices.push(notice),
	});
	return { clock, admission, handover, notices, ready, settled, refusal, session };
}

const pending = Symbol('pending');
const now = <Value>(promise: Promise<Value>) =>
	Promise.race([promise, new Promise<typeof pending>((resolve) => setImmediate(() => resolve(pending)))]);

it('accepts the current process once there is a state to present', async () => {
	const { admission, ready, session } = setup();
	const decided = admission.decide(identify, 4);
	expect(await now(decided)).toBe(pending);
	ready.resolve();
	expect([await decided, session.presences]).toEqual([{ accept: true }, 1]);
});

it('rejects any other process, and names the current one', async () => {
	const { admission, notices } = setup();
	expect(await admission.decide(identify, 3)).toMatchObject({ accept: false, close: 4000 });
	expect(notices).toEqual([['worker:refused', 'rejected an IDENTIFY from worker process #3; #4 is current']]);
});

it('holds the IDENTIFY of a successor until it is presented, and rejects it when the hand-over is aborted', async () => {
	const { admission, handover, ready } = setup();
	ready.resolve();
	handover.begin(5);
	const held = admission.decide(identify, 5);
	await handover.waiting(5);
	expect(await now(held)).toBe(pending);
	await handover.pause(5);
	handover.answer(5);
	expect(await held).toEqual({ accept: true });
	handover.abort(5);
	handover.begin(6);
	const dropped = admission.decide(identify, 6);
	await handover.waiting(6);
	handover.abort(6);
	expect(await dropped).toMatchObject({ accept: false, close: 4000 });
});

it('passes on the close code with which Discord refuses the session', async () => {
	const { admission, refusal, notices } = setup();
	const decided = admission.decide(identify, 4);
	refusal.resolve(4014);
	expect(await decided).toMatchObject({ accept: false, close: 4014 });
	expect(notices).toEqual([]);
});

it('explains why intents were refused', async () => {
	const { admission, session, notices } = setup();
	session.ensured = { close: 4014, detail: 'Discord refused the intents MESSAGE_CONTENT' };
	expect(await admission.decide(identify, 4)).toMatchObject({ accept: false, close: 4014 });
	expect(notices[0]?.[1]).toBe(
		'Discord refused the intents MESSAGE_CONTENT (4014: a privileged intent is not enabled for this bot in the developer portal)',
	);
});

it('waits for the state of the new session after an intent upgrade, with a limit', async () => {
	const { clock, admission, session, ready } = setup();
	session.ensured = 'upgraded';
	ready.resolve();
	const decided = admission.decide(identify, 4);
	expect(await now(decided)).toBe(pending);
	await clock.advance(10_000);
	expect(await decided).toEqual({ accept: true });
});

it('closes without a report while the gateway process stops', async () => {
	const { admission, handover, ready, notices } = setup();
	const decided = admission.decide(identify, 4);
	await now(decided);
	handover.close();
	ready.resolve();
	const stopping = { accept: false, close: 4000, detail: 'the gateway process is stopping' };
	expect([await decided, await admission.decide(identify, 4), notices]).toEqual([stopping, stopping, []]);
});
