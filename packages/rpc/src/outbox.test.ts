import { describe, expect, it, vi } from 'vitest';
import { type Frame, kind } from './frames.js';
import { Outbox } from './outbox.js';
import type { Port } from './port.js';

const tick = () => new Promise((resolve) => process.nextTick(resolve));
const frame = (n: number): Frame => [kind.event, `e${n}`, n];

/** A port controlled by the test: whether it is congested, when messages are done, and which it rejects. */
function portUnderTest({ firstFrameAtOnce = false } = {}) {
	const sent: (readonly Frame[])[] = [];
	const dones: ((error: Error | null) => void)[] = [];
	const state = { accepts: true, refuses: (_frames: readonly Frame[]) => false };
	const port: Port = {
		send(message, done) {
			const frames = (message as unknown[]).slice(2) as Frame[];
			if (state.refuses(frames)) throw new RangeError('Invalid string length');
			sent.push(frames);
			dones.push(done);
			return state.accepts;
		},
		onMessage() {},
		onClose() {},
	};
	const onBroken = vi.fn<(error: Error) => void>();
	const onRefused = vi.fn<(refused: Frame, error: unknown) => void>();
	const limits = { maxQueuedFrames: 4, maxQueuedBytes: 1_000_000 };
	const outbox = new Outbox({ port, epoch: 1, limits, firstFrameAtOnce, onBroken, onRefused });
	return { outbox, sent, dones, state, onBroken, onRefused };
}

describe('an outbox', () => {
	it('sends the frames of one tick as one message, in order', async () => {
		const { outbox, sent } = portUnderTest();
		outbox.push(frame(1), 10);
		await Promise.resolve().then(() => outbox.push(frame(2), 10));
		expect(sent).toEqual([]);
		await tick();
		expect(sent).toEqual([[frame(1), frame(2)]]);
	});

	it('sends the first frame of a tick at once on request, and the others together', async () => {
		const { outbox, sent, dones } = portUnderTest({ firstFrameAtOnce: true });
		for (const n of [1, 2, 3]) outbox.push(frame(n), 10);
		expect(sent).toEqual([[frame(1)]]);
		await tick();
		expect(sent).toEqual([[frame(1)], [frame(2), frame(3)]]);
		outbox.push(frame(4), 10);
		expect(sent.at(-1)).toEqual([frame(4)]);
		for (const done of dones) done(null);
		await tick();
		expect(sent).toHaveLength(3);
		await outbox.flushed();
	});

	it('sends gathered frames together, without waiting for the end of the tick', async () => {
		const { outbox, sent } = portUnderTest();
		outbox.cork();
		outbox.push(frame(1), 10);
		outbox.push(frame(2), 10);
		expect(sent).toEqual([]);
		outbox.uncork();
		expect(sent).toEqual([[frame(1), frame(2)]]);
		outbox.push(frame(3), 10);
		expect(sent).toHaveLength(1);
		await tick();
		expect(sent).toEqual([[frame(1), frame(2)], [frame(3)]]);
	});

	it('includes the frames that were queued earlier in the tick', () => {
		const { outbox, sent } = portUnderTest();
		outbox.push(frame(1), 10);
		outbox.cork();
		outbox.push(frame(2), 10);
		outbox.uncork();
		expect(sent).toEqual([[frame(1), frame(2)]]);
	});

	it('sends a full message at once, and the following frames at the end of the tick', async () => {
		const { outbox, sent } = portUnderTest();
		outbox.push(frame(1), 10);
		outbox.push(frame(2), 100_000);
		expect(sent).toEqual([[frame(1), frame(2)]]);
		outbox.push(frame(3), 10);
		outbox.push(frame(4), 10);
		expect(sent).toHaveLength(1);
		await tick();
		expect(sent).toEqual([
			[frame(1), frame(2)],
			[frame(3), frame(4)],
		]);
	});

	it('splits waiting frames into several messages', async () => {
		const { outbox, sent, dones, state } = portUnderTest();
		state.accepts = false;
		outbox.push(frame(0), 10);
		await tick();
		for (const n of [1, 2, 3]) outbox.push(frame(n), 20_000);
		state.accepts = true;
		dones[0]?.(null);
		expect(sent.slice(1)).toEqual([[frame(1), frame(2)], [frame(3)]]);
	});

	it('keeps waiting at the end of the tick when a full message has congested the channel', async () => {
		const { outbox, sent, state } = portUnderTest();
		outbox.push(frame(1), 10);
		state.accepts = false;
		outbox.push(frame(2), 100_000);
		outbox.push(frame(3), 10);
		await tick();
		expect(sent).toHaveLength(1);
	});

	it('holds frames back while the channel is congested, until all sent messages are done', async () => {
		const { outbox, sent, dones, state } = portUnderTest();
		state.accepts = false;
		outbox.push(frame(1), 10);
		await tick();
		outbox.push(frame(2), 10);
		outbox.push(frame(3), 10);
		await tick();
		expect(sent).toEqual([[frame(1)]]);
		state.accepts = true;
		dones[0]?.(null);
		expect(sent).toEqual([[frame(1)], [frame(2), frame(3)]]);
		outbox.push(frame(4), 10);
		await tick();
		expect(sent).toHaveLength(3);
	});

	it('rejects a frame when the queue is full, unless it must be accepted', async () => {
		const { outbox, sent, dones, state } = portUnderTest();
		state.accepts = false;
		outbox.push(frame(0), 10);
		await tick();
		for (const n of [1, 2, 3, 4]) expect(outbox.push(frame(n), 10)).not.toBeNull();
		expect(outbox.push(frame(5), 10)).toBeNull();
		expect(outbox.push(frame(6), 10, true)).not.toBeNull();
		dones[0]?.(null);
		expect(sent[1]).toEqual([1, 2, 3, 4, 6].map(frame));
		expect(outbox.push(frame(7), 10)).not.toBeNull();
	});

	it('finding 15: has no room for what must be accepted either, once twice as much waits', async () => {
		const { outbox, state } = portUnderTest();
		state.accepts = false;
		outbox.push(frame(0), 10);
		await tick();
		for (let n = 1; n <= 8; n++) expect(outbox.push(frame(n), 10, true)).not.toBeNull();
		expect(outbox.push(frame(9), 10, true)).toBeNull();
		expect(outbox.waitingFrames).toBe(8);
	});

	it('accepts one frame of any size into an empty queue, and none that would exceed the limit beside others', () => {
		const { outbox } = portUnderTest();
		expect(outbox.push(frame(1), 2_000_000)).not.toBeNull();
		expect(outbox.push(frame(2), 1)).toBeNull();
	});

	it('takes back a frame that has not been sent, and no other', async () => {
		const { outbox, sent } = portUnderTest();
		const first = outbox.push(frame(1), 10);
		const second = outbox.push(frame(2), 10);
		expect(second && outbox.drop(second)).toBe(true);
		expect(second && outbox.drop(second)).toBe(true);
		await tick();
		expect(sent).toEqual([[frame(1)]]);
		expect(first && outbox.drop(first)).toBe(false);
		expect(outbox.waitingFrames).toBe(0);
	});

	it('sends nothing when every waiting frame was taken back', async () => {
		const { outbox, sent } = portUnderTest();
		const entry = outbox.push(frame(1), 10);
		if (entry) outbox.drop(entry);
		await tick();
		expect(sent).toEqual([]);
		outbox.push(frame(2), 10);
		await tick();
		expect(sent).toEqual([[frame(2)]]);
	});

	it('finds the one frame that the channel cannot carry, and sends the others', async () => {
		const { outbox, sent, state, onRefused } = portUnderTest();
		state.refuses = (frames) => frames.some(([, name]) => name === 'e2');
		for (const n of [1, 2, 3]) outbox.push(frame(n), 10);
		await tick();
		expect(sent).toEqual([[frame(1)], [frame(3)]]);
		expect(onRefused.mock.calls).toMatchObject([[frame(2), { message: 'Invalid string length' }]]);
	});

	it('reports a broken channel once', async () => {
		const { outbox, dones, onBroken } = portUnderTest();
		onBroken.mockImplementation(() => outbox.close());
		outbox.push(frame(1), 100_000);
		outbox.push(frame(2), 100_000);
		await tick();
		expect(dones).toHaveLength(2);
		outbox.push(frame(3), 10);
		const error = new Error('EPIPE');
		for (const done of dones) done(error);
		expect(onBroken.mock.calls).toEqual([[error]]);
		expect(outbox.push(frame(4), 10, true)).toBeNull();
	});

	it('is flushed when the channel has accepted everything, or was closed', async () => {
		const { outbox, dones } = portUnderTest();
		await outbox.flushed();
		const flushed = vi.fn<() => void>();
		outbox.push(frame(1), 10);
		const first = outbox.flushed().then(flushed);
		await tick();
		expect(flushed).not.toHaveBeenCalled();
		dones[0]?.(null);
		await first;
		outbox.push(frame(2), 10);
		const second = outbox.flushed();
		outbox.close();
		await second;
	});
});
