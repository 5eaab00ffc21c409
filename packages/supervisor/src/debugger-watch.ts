// What node's inspector reports on standard error: where it listens and whether a debugger is attached. It is the only place
// where that shows from outside without asking the process, which a breakpoint would keep from answering.

/** Said at the start, and when the last debugger has left: older versions of node repeat the first word, newer ones say the second. */
const listening = /^Debugger (?:listening|ending) on (ws:\/\/\S+)$/;
const talk =
	/^(?:Debugger (?:listening|ending) on ws:\/\/|Debugger attached\.$|For help, see: https:\/\/nodejs\.org\/|Waiting for the debugger to disconnect)/;

export class DebuggerWatch {
	#url: string | null = null;
	#attached = false;
	/** Whether the inspector has been used by us; its talk is no longer the bot's then. */
	#ours = false;
	/** Our own session will be announced like anybody's. */
	#expectsOurs = false;
	#onUrl: ((url: string) => void) | null = null;

	/** Whether a debugger other than ours is attached. */
	get attached(): boolean {
		return this.#attached;
	}

	/**
	 * The inspector will be woken and used by us: from now on its talk is ours and not the bot's. Calls `wake` unless it listens
	 * already, and resolves with its address; the caller bounds the wait.
	 */
	address(wake: () => void): Promise<string> {
		this.#ours = true;
		this.#expectsOurs = true;
		if (this.#url !== null) return Promise.resolve(this.#url);
		return new Promise((resolve) => {
			this.#onUrl = resolve;
			wake();
		});
	}

	/** Takes note of a line of standard error; `true` when the line is there because of us. */
	see(line: string): boolean {
		const url = listening.exec(line)?.[1];
		if (url !== undefined) {
			this.#url = url;
			this.#attached = false;
			this.#onUrl?.(url);
			this.#onUrl = null;
		} else if (line === 'Debugger attached.') {
			if (!this.#expectsOurs) this.#attached = true;
			this.#expectsOurs = false;
		}
		return this.#ours && talk.test(line);
	}
}
