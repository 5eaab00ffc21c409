// A fake clock for what waits on Redis as well: while it is moved, every answer and every message of Redis is waited for, so that what
// follows from a timer has happened before the next one. Redis' own time is a key, which moves with it.
import { type FakeClock, fakeClock } from '@shardctl/test-support';
import type { RedisPort } from '../../src/redis/redis-port.js';
import type { ScriptSources } from '../../src/scripts/preamble.js';

export interface SettlingClock {
	readonly clock: FakeClock;
	/** To be used in place of the port that was given. */
	readonly redis: RedisPort;
	readonly sources: ScriptSources;
}

export async function settlingClock(port: RedisPort, name: string): Promise<SettlingClock> {
	const inner = fakeClock();
	const started = inner.now();
	const timers = new Map<object, number>();
	let calls = 0;
	const running = new Set<Promise<unknown>>();
	const follow = <T>(promise: Promise<T>): Promise<T> => {
		calls++;
		const done = promise.catch(() => {}).finally(() => running.delete(done));
		running.add(done);
		return promise;
	};
	const redis: RedisPort = {
		script: (...args) => follow(port.script(...args)),
		batch: (...args) => follow(port.batch(...args)),
		publish: (...args) => follow(port.publish(...args)),
		subscribe: (...args) => port.subscribe(...args),
		close: () => port.close(),
	};
	let arrived: (() => void) | undefined;
	const channel = `test:${name}:settled`;
	await port.subscribe(channel, () => arrived?.());
	/** Messages arrive in order, so one of our own is behind all that were sent before. */
	const settle = async () => {
		for (let before = -1; before !== calls; ) {
			before = calls;
			while (running.size > 0) await Promise.all(running);
			const message = new Promise<void>((resolve) => {
				arrived = resolve;
			});
			await port.publish(channel, '');
			await message;
			await new Promise((resolve) => setImmediate(resolve));
			if (running.size > 0) before = -1;
		}
	};
	const setTime = () => port.batch([['SET', `test:${name}:time`, started + inner.monotonic()]]);
	const step = async (ms: number) => {
		// Before the timers run, so that what they send meets the new time.
		await port.batch([['SET', `test:${name}:time`, started + inner.monotonic() + ms]]);
		await inner.advance(ms);
		await settle();
	};
	await setTime();
	return {
		redis,
		sources: {
			time: `local now = tonumber(redis.call('GET', 'test:${name}:time'))`,
			runId: "local runId = 'one'",
		},
		clock: {
			...inner,
			setTimeout: (callback, delayMs) => {
				const timer: object = inner.setTimeout(() => {
					timers.delete(timer);
					callback();
				}, delayMs);
				timers.set(timer, inner.monotonic() + Math.max(0, delayMs));
				return timer;
			},
			clearTimeout: (timer) => {
				timers.delete(timer as object);
				inner.clearTimeout(timer);
			},
			advance: async (ms) => {
				const end = inner.monotonic() + ms;
				await settle();
				for (;;) {
					const next = Math.min(...timers.values());
					if (next > end) break;
					await step(Math.max(0, next - inner.monotonic()));
				}
				if (end > inner.monotonic()) await step(end - inner.monotonic());
			},
		},
	};
}
