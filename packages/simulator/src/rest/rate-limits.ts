// REST rate limits: buckets of single routes, the global limit of a bot, and the count of invalid requests of an address.
// Fixed windows on monotonic time, no timers. Discord: Rate Limits.
import { createHash } from 'node:crypto';
import type { Clock } from '@shardctl/core';
import type { RestAnswer } from './answer.js';
import type { Route } from './route.js';

export interface RateLimitOptions {
	clock: Clock;
	globalPerSecond: number;
	/** Invalid answers in ten minutes until an address is blocked. */
	invalidLimit: number;
	/** How long it stays blocked. */
	blockMs: number;
	/** Whether single routes have limits. */
	buckets: boolean;
}

interface Window {
	count: number;
	endsAtMs: number;
}

const invalidWindowMs = 600_000;
const maxWindows = 20_000;
/** Parameters that are part of a bucket's key; others share the bucket. */
const topLevel: readonly string[] = ['channelId', 'guildId', 'webhookId', 'applicationId', 'interactionId', 'token'];

export class RateLimits {
	readonly #options: RateLimitOptions;
	readonly #windows = new Map<string, Window>();
	readonly #invalid = new Map<string, Window>();
	readonly #blockedUntilMs = new Map<string, number>();
	readonly #hashes = new Map<Route, string>();

	constructor(options: RateLimitOptions) {
		this.#options = options;
	}

	/** The answer for an address that sent too many invalid requests. It is not JSON, and has no rate limit headers. */
	blocked(address: string): RestAnswer | undefined {
		const until = this.#blockedUntilMs.get(address);
		if (until === undefined) return undefined;
		const leftMs = until - this.#options.clock.monotonic();
		if (leftMs <= 0) {
			this.#blockedUntilMs.delete(address);
			return undefined;
		}
		const headers = { 'content-type': 'text/html', 'retry-after': String(Math.ceil(leftMs / 1000)) };
		return { status: 429, text: '<html><body>Error 1015: You are being rate limited</body></html>', headers };
	}

	/** Counts an answer that Discord calls invalid: 401, 403 and 429, except those of a shared limit. */
	countInvalid(address: string, { status, headers }: RestAnswer): void {
		const counts = status === 401 || status === 403 || (status === 429 && headers?.['x-ratelimit-scope'] !== 'shared');
		if (!counts) return;
		const window = this.#count(this.#invalid, address, invalidWindowMs);
		if (window.count <= this.#options.invalidLimit) return;
		this.#blockedUntilMs.set(address, this.#options.clock.monotonic() + this.#options.blockMs);
		this.#invalid.delete(address);
	}

	/** Counts against the global limit of a bot, or of an address without a token. */
	takeGlobal(who: string): RestAnswer | undefined {
		const window = this.#count(this.#windows, `global:${who}`, 1000);
		if (window.count <= this.#options.globalPerSecond) return undefined;
		const retryAfter = this.#secondsUntil(window);
		return {
			status: 429,
			headers: { 'x-ratelimit-global': 'true', 'x-ratelimit-scope': 'global', 'retry-after': String(Math.ceil(retryAfter)) },
			body: { message: 'You are being rate limited.', retry_after: retryAfter, global: true },
		};
	}

	/** Counts against the bucket of a route: its headers, and the 429 when it is used up. */
	takeBucket(route: Route, params: Readonly<Record<string, string>>): { headers: Record<string, string>; refusal?: RestAnswer } {
		if (!this.#options.buckets) return { headers: {} };
		const hash = this.#hashOf(route);
		const resource = topLevel.map((name) => params[name] ?? '').join(':');
		const window = this.#count(this.#windows, `${hash}:${resource}`, route.limit.perMs);
		const { requests } = route.limit;
		const resetAfter = this.#secondsUntil(window);
		const headers = {
			'x-ratelimit-limit': String(requests),
			'x-ratelimit-remaining': String(Math.max(0, requests - window.count)),
			'x-ratelimit-reset': (this.#options.clock.now() / 1000 + resetAfter).toFixed(3),
			'x-ratelimit-reset-after': resetAfter.toFixed(3),
			'x-ratelimit-bucket': hash,
		};
		if (window.count <= requests) return { headers };
		return {
			headers,
			refusal: {
				status: 429,
				headers: { ...headers, 'x-ratelimit-scope': 'user', 'retry-after': String(Math.ceil(resetAfter)) },
				body: { message: 'You are being rate limited.', retry_after: resetAfter, global: false },
			},
		};
	}

	#secondsUntil(window: Window): number {
		return Math.max(0, Math.ceil(window.endsAtMs - this.#options.clock.monotonic()) / 1000);
	}

	#count(windows: Map<string, Window>, key: string, windowMs: number): Window {
		const nowMs = this.#options.clock.monotonic();
		let window = windows.get(key);
		if (!window || nowMs >= window.endsAtMs) {
			window = { count: 0, endsAtMs: nowMs + windowMs };
			windows.delete(key);
			windows.set(key, window);
			if (windows.size > maxWindows) forgetEnded(windows, nowMs);
		}
		window.count++;
		return window;
	}

	#hashOf(route: Route): string {
		const known = this.#hashes.get(route);
		if (known !== undefined) return known;
		const hash = createHash('md5').update(`${route.method} ${route.path}`).digest('hex');
		this.#hashes.set(route, hash);
		return hash;
	}
}

function forgetEnded(windows: Map<string, Window>, nowMs: number): void {
	for (const [key, window] of windows) if (nowMs >= window.endsAtMs) windows.delete(key);
	// All still open: the oldest half goes, so that memory stays bounded whatever comes.
	if (windows.size <= maxWindows) return;
	let surplus = windows.size - maxWindows / 2;
	for (const key of windows.keys()) if (surplus-- > 0) windows.delete(key);
}
