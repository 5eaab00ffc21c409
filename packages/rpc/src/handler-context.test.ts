import { describe, expect, it } from 'vitest';
import { LazyHandlerContext } from './handler-context.js';

describe("a handler's context", () => {
	it('aborts the signal that was looked at, once', () => {
		const context = new LazyHandlerContext();
		const { signal } = context;
		expect(signal.aborted).toBe(false);
		context.abort('first');
		context.abort('second');
		expect(signal.reason).toBe('first');
		expect(context.signal).toBe(signal);
	});

	it('gives an aborted signal to a handler that looks only afterwards', () => {
		const context = new LazyHandlerContext();
		context.abort('gone');
		expect(context.aborted).toBe(true);
		expect(context.signal.reason).toBe('gone');
	});
});
