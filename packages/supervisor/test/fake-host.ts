// A host that starts no process: it lets a test bring the machine of a child into its states, one event at a time.
import type { ProcessHost } from '../src/child-handle.js';
import type { ChildSpec } from '../src/child-spec.js';
import { ScriptedChild } from '../src/testing/scripted-child.js';

/** A child that exits when the test requests it, whatever it is sent. */
class FakeChild extends ScriptedChild {
	readonly #host: FakeHost;

	constructor(host: FakeHost, pid: number, spec: ChildSpec) {
		super({ pid, spec, channel: false });
		this.#host = host;
	}

	override signal(signal: NodeJS.Signals): boolean {
		this.#host.signals.push(`${this.pid} ${signal}`);
		return true;
	}

	override kill(): void {
		this.#host.signals.push(`${this.pid} KILL GROUP`);
	}

	override endGroup(): Promise<void> {
		return this.#host.groupEnded();
	}

	override isDebugged(): boolean {
		return this.#host.debugged;
	}

	override hungStack(): Promise<string[]> {
		return this.#host.stack;
	}
}

export class FakeHost implements ProcessHost {
	readonly processes: FakeChild[] = [];
	readonly specs: ChildSpec[] = [];
	/** Every signal sent, as `pid signal`; a kill of the group is `pid KILL GROUP`. */
	readonly signals: string[] = [];
	/** The next start throws this. */
	refuseFork: Error | null = null;
	/** Whether descendants of a process stay alive until the test calls {@link openGroup}. */
	holdsGroups = false;
	readonly #held: (() => void)[] = [];
	/** Whether a debugger is attached. */
	debugged = false;
	/** Frames that a hung process is found in; a pending promise keeps the search running. */
	stack: Promise<string[]> = Promise.resolve([]);

	get current(): FakeChild {
		const process = this.processes.at(-1);
		if (!process) throw new Error('no process was started');
		return process;
	}

	/** The processes that have not exited. */
	alive(): FakeChild[] {
		return this.processes.filter(({ exited }) => !exited);
	}

	/** How many groups wait for {@link openGroup}. */
	groupsHeld(): number {
		return this.#held.length;
	}

	start(spec: ChildSpec): FakeChild {
		this.specs.push(spec);
		if (this.refuseFork) throw this.refuseFork;
		const process = new FakeChild(this, 1000 + this.processes.length, spec);
		this.processes.push(process);
		return process;
	}

	groupEnded(): Promise<void> {
		return this.holdsGroups ? new Promise((resolve) => this.#held.push(resolve)) : Promise.resolve();
	}

	/** All descendants of exited processes are gone. */
	openGroup(): void {
		this.holdsGroups = false;
		for (const open of this.#held.splice(0)) open();
	}

	claimOomKill(): boolean {
		return false;
	}
}
