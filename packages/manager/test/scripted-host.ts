// Processes that are not there: each plays a worker by a script, on the test's clock, over the real protocol. So a manager can
// live through a day in a moment, with all of its decisions and none of its processes.
import {
	type ManagerEvents,
	type ManagerMethods,
	type WorkerConfig,
	type WorkerEvents,
	type WorkerMethods,
	workerConfigVariable,
} from '@shardctl/core';
import { ipcPort, Peer } from '@shardctl/rpc';
import type { ProcessHost } from '@shardctl/supervisor';
import { scriptedHost as scriptedChildren } from '@shardctl/supervisor/testing';

type WorkerPeer = Peer<WorkerMethods, ManagerMethods, WorkerEvents, ManagerEvents>;

/** What a process does: it has its config and its end of the channel, and may exit. */
export interface ScriptedProcess {
	config: WorkerConfig;
	peer: WorkerPeer;
	exit(code: number): void;
	/** Aborts when the process is gone. */
	gone: AbortSignal;
}

/** A host whose every process runs the script. */
export function scriptedHost(script: (process: ScriptedProcess) => void): ProcessHost & { living(): number } {
	return scriptedChildren((end) => {
		const config = JSON.parse(end.spec.env[workerConfigVariable] as string) as WorkerConfig;
		const port = ipcPort({
			connected: true,
			send: (message, done) => end.send(message, done),
			on: (event: 'message' | 'disconnect', listener: (message?: unknown) => void) =>
				event === 'message' ? end.onMessage(listener) : end.onDisconnect(listener),
		});
		const peer: WorkerPeer = new Peer({ port, epoch: config.epoch });
		peer.handle('ping', () => null);
		peer.handle('shutdown', () => {
			queueMicrotask(() => end.exit(0));
			return null;
		});
		script({ config, peer, exit: (code) => end.exit(code), gone: end.gone });
	});
}
