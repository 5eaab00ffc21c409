import { setImmediate } from 'node:timers/promises';
import { deferred } from '@shardctl/core';
import { expect, it } from 'vitest';
import type { Replacement } from './replacement.js';
import { WorkerTurns } from './worker-turns.js';

it('replaces a worker again only when the replacement of a deploy is over, and another worker at once', async () => {
	const turns = new WorkerTurns();
	const over = deferred();
	const did: string[] = [];
	const replacement = { over: over.promise } as unknown as Replacement;
	expect(await turns.hold(0, undefined, async () => replacement)).toBe(replacement);
	const next = turns.take(0, undefined, async () => void did.push('same'));
	await turns.take(1, undefined, async () => void did.push('other'));
	await setImmediate();
	expect(did).toEqual(['other']);
	over.resolve();
	await next;
	expect(did).toEqual(['other', 'same']);
});

it('passes the turn on after a failure, and when the manager stops, after which nothing is started', async () => {
	const turns = new WorkerTurns();
	const stop = new AbortController();
	const failure = new Error('no');
	await expect(turns.hold(0, stop.signal, () => Promise.reject(failure))).rejects.toBe(failure);
	await expect(turns.take(0, stop.signal, () => Promise.reject(failure))).rejects.toBe(failure);
	await turns.hold(0, stop.signal, async () => ({ over: new Promise(() => {}) }) as unknown as Replacement);
	const waiting = turns.take(0, stop.signal, () => Promise.reject(new Error('it was started')));
	stop.abort(new Error('the end'));
	await expect(waiting).rejects.toThrow('the end');
});
