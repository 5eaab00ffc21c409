import { deferred, ShardctlError } from '@shardctl/core';
import { expect, it } from 'vitest';
import type { Frame } from './frames.js';
import type { HandlerContext } from './handler-context.js';
import { defaultPeerLimits } from './limits.js';
import { RequestHandlers } from './request-handlers.js';

function setup({ accepts = () => true, limits = {} }: { accepts?: (always: boolean) => boolean; limits?: object } = {}) {
	const sent: Frame[] = [];
	const noted: string[] = [];
	const handlers = new RequestHandlers({
		outbox: {
			push(frame: Frame, _bytes: number, always = false) {
				if (!accepts(always)) return null;
				sent.push(frame);
				return {} as never;
			},
		},
		limits: { ...defaultPeerLimits, ...limits },
		schemas: new Map(),
		onUnread: () => void noted.push('unread'),
		onDuplicate: () => void noted.push('duplicate'),
		onUnreadable: (what) => void noted.push(what),
	});
	/** Code of the error in the last frame. */
	const failure = () => JSON.stringify(sent.at(-1));
	return { handlers, sent, noted, failure };
}

it('replies with the result of a handler, in the same turn', () => {
	const { handlers, sent } = setup();
	handlers.set('double', (n) => (n as number) * 2);
	handlers.run(1, 'double', 21, false);
	expect(sent).toEqual([[expect.anything(), 1, 42]]);
	expect(handlers.runningCount).toBe(0);
});

it('runs a request of one id once', () => {
	const { handlers, sent, noted } = setup();
	handlers.set('ping', () => 'pong');
	handlers.run(1, 'ping', null, false);
	handlers.run(1, 'ping', null, false);
	expect([sent.length, noted]).toEqual([1, ['duplicate']]);
});

it('rejects a method without a handler, and more concurrent handlers than the limit', () => {
	const { handlers, failure } = setup({ limits: { maxRunningHandlers: 1 } });
	handlers.run(1, 'missing', null, false);
	expect(failure()).toContain('METHOD_NOT_FOUND');
	handlers.set('wait', () => new Promise(() => {}));
	handlers.run(2, 'wait', null, false);
	handlers.run(3, 'wait', null, false);
	expect(failure()).toContain('CALL_LIMIT');
	expect(handlers.runningCount).toBe(1);
});

it('aborts the signal of a handler whose caller no longer waits, and sends no reply to it', async () => {
	const { handlers, sent } = setup();
	let signal: AbortSignal | undefined;
	const work = deferred<string>();
	handlers.set('work', (_params, context: HandlerContext) => {
		signal = context.signal;
		return work.promise;
	});
	handlers.run(1, 'work', null, false);
	handlers.cancel(1, 'CALL_TIMEOUT');
	expect(signal?.reason).toMatchObject({ code: 'CALL_TIMEOUT' });
	// It still counts until it has finished.
	expect(handlers.runningCount).toBe(1);
	work.resolve('too late');
	await work.promise;
	await Promise.resolve();
	expect([handlers.runningCount, sent]).toEqual([0, []]);
});

it('replies with a failure when the queue has no space for the result', () => {
	const { handlers, failure } = setup({ accepts: (always) => always });
	handlers.set('big', () => 'value');
	handlers.run(1, 'big', null, false);
	expect(failure()).toContain('congested');
});

it('sends nothing more for handlers that are aborted together', async () => {
	const { handlers, sent } = setup();
	const work = deferred<string>();
	handlers.set('work', () => work.promise);
	handlers.run(1, 'work', null, false);
	handlers.abortAll(new ShardctlError('CHANNEL_CLOSED', 'closed'));
	work.resolve('too late');
	await work.promise;
	await Promise.resolve();
	expect([handlers.runningCount, sent]).toEqual([0, []]);
});

it('finding 15: reports a sender that reads no replies, once not even failures can be kept', () => {
	const { handlers, noted } = setup({ accepts: () => false });
	handlers.run(1, 'missing', null, false);
	expect(noted).toEqual(['unread']);
	handlers.abortAll(new ShardctlError('CHANNEL_CLOSED', 'closed'));
	handlers.run(2, 'missing', null, false);
	expect(noted).toEqual(['unread']);
});
