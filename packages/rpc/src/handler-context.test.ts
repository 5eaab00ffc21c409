import { describe, expect, it } from 'vitest';
import { LazyHandlerContext } from './handler-context.js';

describe("a handler's context", () => {
	it('aborts a signal that was read, once', () => {
		const context = new LazyHandlerContext();
		const { signal } = context;
		expect(signal.aborted).toBe(false);
		context.abort('first');
		context.abort('second');
		expect(signal.reason).toBe('first');
		expect(context.signal).toBe(signal);
	});

	it('returns an aborted signal to a handler that reads it afterwards', () => {
		const context = new LazyHandlerContext();
		context.abort('gone');
		expect(context.aborted).toBe(true);
		expect(context.signal.reason).toBe('gone');
	});
});
