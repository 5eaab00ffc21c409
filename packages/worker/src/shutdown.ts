// The orderly shutdown of a bot: running event handlers finish, then its shutdown handlers run while its client still works, then
// it logs out. It does not end the process.

/** Runs before the process ends. The reason is a sentence for people. */
export type ShutdownHandler = (reason: string) => void | Promise<void>;

/** The part of the grace that a bot's own SIGTERM handler gets before its clients are logged out for it. */
const ownHandlerShare = 0.5;
const ownHandlerMaxMs = 5000;
/** How long running event handlers have to finish: the next process may be waiting for the bot's events. */
const settleMaxMs = 1000;

/** The part of `process` that shows whether the bot has SIGTERM handlers of its own. */
export interface SignalTarget {
	listenerCount(event: 'SIGTERM'): number;
	emit(event: 'SIGTERM', signal: 'SIGTERM'): boolean;
}

export interface ShutdownOptions {
	/** Resolves when the running event handlers have finished. */
	settle(): Promise<void>;
	/** Logs the clients out. */
	logOut(): Promise<void>;
	signals: SignalTarget;
}

export class Shutdown {
	readonly #options: ShutdownOptions;
	readonly #handlers: ShutdownHandler[] = [];
	#running: Promise<void> | undefined;

	constructor(options: ShutdownOptions) {
		this.#options = options;
	}

	add(handler: ShutdownHandler): void {
		this.#handlers.push(handler);
	}

	/** Runs once; later calls return the same promise, which never rejects. The caller enforces the timeout. */
	run(reason: string, graceMs: number): Promise<void> {
		this.#running ??= this.#run(reason, graceMs);
		return this.#running;
	}

	async #run(reason: string, graceMs: number): Promise<void> {
		await this.#settle(graceMs);
		const attempts = this.#handlers.map(async (handler) => handler(reason));
		for (const result of await Promise.allSettled(attempts)) {
			if (result.status === 'rejected') console.error('a shutdown handler failed:', result.reason);
		}
		await this.#ownSignalHandlers(graceMs);
		await this.#options.logOut();
	}

	async #settle(graceMs: number): Promise<void> {
		let timer: NodeJS.Timeout | undefined;
		const late = new Promise((resolve) => {
			timer = setTimeout(resolve, Math.min(graceMs / 2, settleMaxMs));
		});
		await Promise.race([this.#options.settle(), late]);
		clearTimeout(timer);
	}

	/** A bot with a SIGTERM handler cleans up in it, and usually exits by itself. */
	async #ownSignalHandlers(graceMs: number): Promise<void> {
		const { signals } = this.#options;
		if (signals.listenerCount('SIGTERM') === 0) return;
		try {
			signals.emit('SIGTERM', 'SIGTERM');
		} catch (error) {
			console.error("the bot's SIGTERM handler failed:", error);
		}
		await new Promise((resolve) => setTimeout(resolve, Math.min(graceMs * ownHandlerShare, ownHandlerMaxMs)));
	}
}
