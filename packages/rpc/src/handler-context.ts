// What a handler receives besides its params: a signal that aborts when the caller no longer waits.

export interface HandlerContext {
	/** Aborted when the caller gives up (cancelled, or its deadline passed) or the channel closes; its reason is a ShardctlError. */
	readonly signal: AbortSignal;
}

/** Makes its AbortController only for handlers that look at the signal: most do not, and it costs more than a small call. */
export class LazyHandlerContext implements HandlerContext {
	#controller: AbortController | undefined;
	#reason: unknown;
	#aborted = false;

	get signal(): AbortSignal {
		if (!this.#controller) {
			this.#controller = new AbortController();
			if (this.#aborted) this.#controller.abort(this.#reason);
		}
		return this.#controller.signal;
	}

	get aborted(): boolean {
		return this.#aborted;
	}

	abort(reason: unknown): void {
		if (this.#aborted) return;
		this.#aborted = true;
		this.#reason = reason;
		this.#controller?.abort(reason);
	}
}
