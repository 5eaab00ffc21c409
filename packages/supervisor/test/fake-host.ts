// A host that starts no process: what a test needs to walk the machine of a child through its states, one event at a time.
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ChildSpec } from '../src/child-spec.js';
import type { ProcessHost } from '../src/process-host.js';

/** A process that exits when the test says so. */
export class FakeProcess extends EventEmitter {
	readonly pid: number;
	readonly stdout = new PassThrough();
	readonly stderr = new PassThrough();
	readonly connected = false;
	exited = false;

	constructor(pid: number) {
		super();
		this.pid = pid;
		this.once('exit', () => {
			this.exited = true;
			this.stdout.destroy();
			this.stderr.destroy();
		});
	}

	exit(code: number | null, signal: NodeJS.Signals | null = null): void {
		this.emit('exit', code, signal);
	}
}

export class FakeHost implements ProcessHost {
	readonly processes: FakeProcess[] = [];
	readonly specs: ChildSpec[] = [];
	/** Every signal sent, as `pid signal`; a kill of the group is `pid KILL GROUP`. */
	readonly signals: string[] = [];
	/** The next fork throws this. */
	refuseFork: Error | null = null;
	/** Whether what a process left behind stays alive until the test calls {@link openGroup}. */
	holdsGroups = false;
	readonly #held: (() => void)[] = [];
	/** Frames that a hung process is found in; a pending promise keeps the search going. */
	stack: Promise<string[]> = Promise.resolve([]);

	get current(): FakeProcess {
		const process = this.processes.at(-1);
		if (!process) throw new Error('no process was started');
		return process;
	}

	/** The processes that have not exited. */
	alive(): FakeProcess[] {
		return this.processes.filter(({ exited }) => !exited);
	}

	/** How many groups wait for {@link openGroup}. */
	groupsHeld(): number {
		return this.#held.length;
	}

	fork(spec: ChildSpec): ChildProcess {
		this.specs.push(spec);
		if (this.refuseFork) throw this.refuseFork;
		const process = new FakeProcess(1000 + this.processes.length);
		this.processes.push(process);
		return process as unknown as ChildProcess;
	}

	signal(child: ChildProcess, signal: NodeJS.Signals): boolean {
		this.signals.push(`${child.pid} ${signal}`);
		return true;
	}

	kill(child: ChildProcess): void {
		this.signals.push(`${child.pid} KILL GROUP`);
	}

	endGroup(): Promise<void> {
		return this.holdsGroups ? new Promise((resolve) => this.#held.push(resolve)) : Promise.resolve();
	}

	/** What any process left behind is gone. */
	openGroup(): void {
		this.holdsGroups = false;
		for (const open of this.#held.splice(0)) open();
	}

	hungStack(): Promise<string[]> {
		return this.stack;
	}

	claimOomKill(): boolean {
		return false;
	}
}
