// Simulated processes: each plays a worker, or a gateway process, by a script, on the test's clock, over the real protocol. So
// a manager can run through a day in a moment, with all of its decisions and none of its processes.
import {
	type GatewayConfig,
	type GatewayEvents,
	type GatewayManagerMethods,
	type GatewayMethods,
	type GatewayShardCounters,
	type GatewayStats,
	gatewayConfigVariable,
	gatewayShardCounters,
	type ManagerEvents,
	type ManagerMethods,
	sessionsOfShards,
	shardsOfSession,
	type WorkerConfig,
	type WorkerEvents,
	type WorkerMethods,
	workerConfigVariable,
} from '@shardctl/core';
import { ipcPort, Peer, type Port } from '@shardctl/rpc';
import type { ProcessHost } from '@shardctl/supervisor';
import { type ScriptedEnd, scriptedHost as scriptedChildren } from '@shardctl/supervisor/testing';

interface Scripted<Config, P> {
	config: Config;
	peer: P;
	/** Sends a message unchanged, past the peer. */
	sendRaw(message: unknown): void;
	exit(code: number): void;
	/** Aborts when the process is gone. */
	gone: AbortSignal;
}

/** The script of a worker process: it has its config and its end of the channel, and may exit. */
export type ScriptedProcess = Scripted<WorkerConfig, Peer<WorkerMethods, ManagerMethods, WorkerEvents, ManagerEvents>>;

/** The same for a gateway process. */
export type ScriptedGateway = Scripted<GatewayConfig, Peer<GatewayMethods, GatewayManagerMethods, GatewayEvents>>;

/** A host whose every process runs the script for its kind. */
export function scriptedHost(
	script: (process: ScriptedProcess) => void,
	gatewayScript: (process: ScriptedGateway) => void = obedientGateway,
): ProcessHost & { living(): number } {
	return scriptedChildren((end) => {
		const { env } = end.spec;
		const rest = {
			exit: (code: number) => end.exit(code),
			gone: end.gone,
			sendRaw: (message: unknown) => void end.send(message),
		};
		const endSoon = () => {
			queueMicrotask(() => end.exit(0));
			return null;
		};
		const gatewayConfig = env[gatewayConfigVariable];
		if (gatewayConfig) {
			const config = JSON.parse(gatewayConfig) as GatewayConfig;
			const peer: ScriptedGateway['peer'] = new Peer({ port: portOf(end), epoch: config.epoch });
			peer.handle('ping', () => null);
			peer.handle('shutdown', endSoon);
			gatewayScript({ config, peer, ...rest });
			return;
		}
		const config = JSON.parse(env[workerConfigVariable] as string) as WorkerConfig;
		const peer: ScriptedProcess['peer'] = new Peer({ port: portOf(end), epoch: config.epoch });
		peer.handle('ping', () => null);
		peer.handle('shutdown', endSoon);
		script({ config, peer, ...rest });
	});
}

/** Responds to every request at once, and records it. */
export function obedientGateway(
	{ config, peer }: ScriptedGateway,
	note: (method: string, params: unknown) => void = () => {},
): void {
	const done = [
		'worker.expect',
		'worker.ready',
		'handover.begin',
		'handover.waiting',
		'handover.present',
		'handover.released',
		'handover.commit',
		'handover.abort',
	] as const;
	for (const method of done) {
		peer.handle(method, (params) => {
			note(method, params);
			return null;
		});
	}
	peer.handle('handover.pause', () => ({ drained: true }));
	peer.handle('shard.prepare', () => ({ answerable: true }));
	peer.handle('stats', () => ({ rssBytes: 1, cpuSeconds: 1, ...served(config) }));
	peer.notify('listening', { port: config.port });
}

/** Discord serves every session, and the worker of each shard is connected. */
export function served({ shardIds, layout }: GatewayConfig): Pick<GatewayStats, 'sessions' | 'shards'> {
	const counters = Object.fromEntries(gatewayShardCounters.map((name) => [name, 0])) as Record<
		keyof GatewayShardCounters,
		number
	>;
	return {
		sessions: sessionsOfShards(layout, shardIds).map((id) => ({
			id,
			of: layout.sessions,
			shardIds: shardsOfSession(layout, id, shardIds),
			status: 'ready',
			since: 0,
			tries: 0,
			nextTryAt: null,
			lastClose: null,
			intents: 1,
			waitsForBudget: false,
			lastEventAt: null,
			ping: null,
			identifies: 1,
			resumes: 0,
			sessionsLost: 0,
			requestsWaiting: 0,
			requestsDropped: 0,
		})),
		shards: shardIds.map((shardId) => ({
			...counters,
			shardId,
			session: sessionsOfShards(layout, [shardId])[0] as number,
			worker: 'connected',
			guildCount: 0,
			stateBytes: 0,
			bufferedEvents: 0,
			bufferedBytes: 0,
			bufferAgeMs: 0,
			lagMs: 0,
			eventsPerSecond: 0,
			snapshotBytes: null,
			snapshotAgeMs: null,
			snapshotFailure: null,
		})),
	};
}

function portOf(end: ScriptedEnd): Port {
	return ipcPort({
		connected: true,
		send: (message, done) => end.send(message, done),
		on: (event: 'message' | 'disconnect', listener: (message?: unknown) => void) =>
			event === 'message' ? end.onMessage(listener) : end.onDisconnect(listener),
	});
}
