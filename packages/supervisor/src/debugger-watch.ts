// What is known of a child's inspector: its address, whether it is open because of us, and whether a debugger may be attached.
// Node reports these on standard error, where the child writes too, and what a child writes may be text of a stranger (a chat message
// in a log line). A line is therefore only believed where this side has caused it: in the time after its own signal, or as the first
// one of a child that was started with an inspector.

/** Written at the start, and when the last debugger has left: older versions of node repeat the first word, newer ones use the second. */
const listening = /^Debugger (?:listening|ending) on (ws:\/\/\S+)$/;
const talk =
	/^(?:Debugger (?:listening|ending) on ws:\/\/|Debugger attached\.$|For help, see: https:\/\/nodejs\.org\/|Waiting for the debugger to disconnect)/;

export class DebuggerWatch {
	/** Whether the child was started with an inspector, for a person to use. */
	readonly requested: boolean;
	#url: string | null = null;
	#attachedByText = false;
	/** From our signal until the inspector is closed again; its talk is ours then and not the bot's. */
	#ours = false;
	#waiting: { accepts: (url: string) => boolean; resolve: (url: string) => void } | null = null;

	constructor({ requested }: { requested: boolean }) {
		this.requested = requested;
	}

	/** Where the inspector listens; null where that is not known. */
	get url(): string | null {
		return this.#url;
	}

	/** Whether the inspector was opened by us and not closed since. */
	get ours(): boolean {
		return this.#ours;
	}

	/** Whether the child's output says that a debugger is attached. Only for an inspector that was requested, and no proof even then. */
	get attachedByText(): boolean {
		return this.#attachedByText;
	}

	/**
	 * The inspector's address. Unless it is known, `wake` is called, and the first address that the child reports until `signal` aborts
	 * and that `accepts` confirms is taken. Null when there is none.
	 */
	address(wake: () => void, accepts: (url: string) => boolean, signal: AbortSignal): Promise<string | null> {
		if (this.#url !== null) return Promise.resolve(accepts(this.#url) ? this.#url : null);
		if (signal.aborted) return Promise.resolve(null);
		return new Promise((resolve) => {
			const end = (url: string | null) => {
				signal.removeEventListener('abort', giveUp);
				this.#waiting = null;
				resolve(url);
			};
			const giveUp = () => end(null);
			signal.addEventListener('abort', giveUp, { once: true });
			this.#waiting = { accepts, resolve: end };
			if (!this.requested) this.#ours = true;
			wake();
		});
	}

	/** The child has closed the inspector that we had opened. */
	closed(): void {
		if (!this.#ours) return;
		this.#ours = false;
		this.#url = null;
	}

	/** Takes note of a line of standard error; `true` when the line is there because of us. */
	see(line: string): boolean {
		const url = listening.exec(line)?.[1];
		if (url !== undefined) this.#seeUrl(url);
		else if (line === 'Debugger attached.' && this.requested) this.#attachedByText = true;
		return this.#ours && talk.test(line);
	}

	#seeUrl(url: string): void {
		if (this.requested) {
			// Node reports it before the child's own code runs, so the first line is node's.
			this.#url ??= url;
			this.#attachedByText = false;
		}
		if (!this.#waiting?.accepts(url)) return;
		this.#url = url;
		this.#waiting.resolve(url);
	}
}
