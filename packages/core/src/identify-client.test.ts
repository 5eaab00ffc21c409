import { describe, expect, it } from 'vitest';
import { IdentifyClient, type IdentifyLink } from './identify-client.js';

/** A link whose manager grants slots on demand, and which records the reports. */
function link() {
	const reported: string[] = [];
	const asked: { shardId: number; grant(slotId: number): void; fail(error: Error): void }[] = [];
	const identify: IdentifyLink = {
		acquire: (shardId, signal) =>
			new Promise((resolve, reject) => {
				asked.push({ shardId, grant: (slotId) => resolve({ slotId }), fail: reject });
				signal?.addEventListener('abort', () => reject(new Error('CALL_CANCELLED')), { once: true });
			}),
		report: (event, slotId) => reported.push(`${event} ${slotId}`),
	};
	return { identify, reported, asked };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const pending = Symbol('pending');
const stateOf = async (promise: Promise<unknown>) => {
	await settled();
	return Promise.race([
		promise.then(
			() => 'resolved',
			(error: Error) => error.message,
		),
		Promise.resolve(pending),
	]);
};

describe('IdentifyClient', () => {
	it('lets a shard through when its slot is granted, and reports the IDENTIFY after it was sent', async () => {
		const { identify, reported, asked } = link();
		const gate = new IdentifyClient(identify);
		const waiting = gate.wait(3);
		expect(await stateOf(waiting)).toBe(pending);
		asked[0]?.grant(7);
		await waiting;
		expect(reported).toEqual([]);
		await settled();
		expect(reported).toEqual(['sent 7']);
		gate.confirm(3);
		gate.confirm(3);
		gate.confirm(2);
		expect(reported).toEqual(['sent 7', 'confirmed 7']);
	});

	it('rejects with the reason of the abort, and returns a slot that was granted at the same time', async () => {
		const { identify, reported, asked } = link();
		const gate = new IdentifyClient(identify);
		const early = new AbortController();
		const waiting = gate.wait(0, early.signal);
		early.abort(new Error('socket closed'));
		await expect(waiting).rejects.toThrow('socket closed');
		await expect(gate.wait(0, early.signal)).rejects.toThrow('socket closed');

		const late = new AbortController();
		const crossing = gate.wait(0, late.signal);
		asked.at(-1)?.grant(9);
		late.abort(new Error('at the same time'));
		await expect(crossing).rejects.toThrow('at the same time');
		await settled();
		expect(reported).toEqual(['released 9']);
	});

	it('never rejects for any other reason, because libraries identify again then', async () => {
		const { identify, asked } = link();
		const gate = new IdentifyClient(identify);
		const abort = new AbortController();
		const waiting = gate.wait(0, abort.signal);
		asked[0]?.fail(new Error('CHANNEL_CLOSED'));
		expect(await stateOf(waiting)).toBe(pending);
		abort.abort(new Error('end'));
		await expect(waiting).rejects.toThrow('end');
	});
});
