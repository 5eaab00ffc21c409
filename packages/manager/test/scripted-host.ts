// Processes that are not there: each plays a worker by a script, on the test's clock, over the real protocol. So a manager can
// live through a day in a moment, with all of its decisions and none of its processes.
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import {
	type ManagerEvents,
	type ManagerMethods,
	type WorkerConfig,
	type WorkerEvents,
	type WorkerMethods,
	workerConfigVariable,
} from '@shardctl/core';
import { type IpcEnd, ipcPort, Peer } from '@shardctl/rpc';
import type { ChildSpec, ProcessHost } from '@shardctl/supervisor';

type WorkerPeer = Peer<WorkerMethods, ManagerMethods, WorkerEvents, ManagerEvents>;

/** What a process does: it has its config and its end of the channel, and may exit. */
export interface ScriptedProcess {
	config: WorkerConfig;
	peer: WorkerPeer;
	exit(code: number): void;
	/** Aborts when the process is gone. */
	gone: AbortSignal;
}

let lastPid = 100_000;

/** A host whose every fork runs the script. */
export function scriptedHost(script: (process: ScriptedProcess) => void): ProcessHost & { living(): number } {
	const living = new Set<FakeProcess>();
	return {
		living: () => living.size,
		fork(spec) {
			const process = new FakeProcess(spec, script);
			living.add(process);
			process.once('exit', () => living.delete(process));
			return process as unknown as ChildProcess;
		},
		signal(child) {
			(child as unknown as FakeProcess).end(null, 'SIGTERM');
			return true;
		},
		kill: (child) => (child as unknown as FakeProcess).end(null, 'SIGKILL'),
		endGroup: async () => {},
		hungStack: async () => [],
		claimOomKill: () => false,
	};
}

class FakeProcess extends EventEmitter {
	readonly pid = ++lastPid;
	readonly stdout = new PassThrough();
	readonly stderr = new PassThrough();
	connected = true;
	readonly #gone = new AbortController();
	readonly #childEnd = new EventEmitter();

	constructor(spec: ChildSpec, script: (process: ScriptedProcess) => void) {
		super();
		const config = JSON.parse(spec.env[workerConfigVariable] as string) as WorkerConfig;
		const end: IpcEnd = {
			connected: true,
			send: (message, done) => {
				queueMicrotask(() => {
					if (this.connected) this.emit('message', structuredClone(message));
					done(null);
				});
				return true;
			},
			on: (event: string, listener: (message: unknown) => void) => this.#childEnd.on(event, listener),
		};
		const peer: WorkerPeer = new Peer({ port: ipcPort(end), epoch: config.epoch });
		peer.handle('ping', () => null);
		peer.handle('shutdown', () => {
			queueMicrotask(() => this.end(0, null));
			return null;
		});
		// The manager has its listeners by then.
		queueMicrotask(() => script({ config, peer, exit: (code) => this.end(code, null), gone: this.#gone.signal }));
	}

	send(message: unknown, done: (error: Error | null) => void): boolean {
		queueMicrotask(() => {
			if (this.connected) this.#childEnd.emit('message', structuredClone(message));
			done(null);
		});
		return true;
	}

	disconnect(): void {
		this.connected = false;
	}

	end(code: number | null, signal: NodeJS.Signals | null): void {
		if (!this.connected) return;
		this.connected = false;
		this.#gone.abort(new Error('the process has ended'));
		this.stdout.destroy();
		this.stderr.destroy();
		this.emit('exit', code, signal);
		this.#childEnd.emit('disconnect');
		this.emit('disconnect');
	}
}
