// A host that holds nothing: it writes down what its node asks of it.
import type { HeldSession } from '../../src/lease/node-state.js';
import type { SessionHost } from '../../src/node/session-host.js';

export type FakeHostLog = string[];

export class FakeHost implements SessionHost {
	/** Session → its record, as the node gave it. */
	readonly owned = new Map<number, { epoch: number; record: string | undefined }>();
	/** Runs before a move is prepared, and before it is handed over. */
	onPrepare: (session: number) => Promise<void> = async () => {};
	onHandOver: (session: number) => Promise<void> = async () => {};
	readonly #name: string;
	readonly #log: FakeHostLog;

	constructor(name: string, log: FakeHostLog) {
		this.#name = name;
		this.#log = log;
	}

	own({ session, epoch }: HeldSession, record: string | undefined): void {
		this.owned.set(session, { epoch, record });
		this.#write(`own ${session}`);
	}

	disown({ session }: HeldSession): void {
		this.owned.delete(session);
		this.#write(`disown ${session}`);
	}

	muted(): void {
		this.#write('muted');
	}

	unmuted(): void {
		this.#write('unmuted');
	}

	async prepare(session: number): Promise<void> {
		this.#write(`prepare ${session}`);
		await this.onPrepare(session);
	}

	async handOver({ session }: HeldSession): Promise<string> {
		this.#write(`hand over ${session}`);
		await this.onHandOver(session);
		return JSON.stringify({ from: this.#name });
	}

	#write(what: string): void {
		this.#log.push(`${this.#name}: ${what}`);
	}
}
