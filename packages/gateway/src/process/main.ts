// The entry of a gateway process: reads its configuration, opens the channel to the manager, and runs until the manager ends it.
import { deferred, systemClock } from '@shardctl/core';
import { exitAfterReply, runService } from '@shardctl/rpc';
import { FileSnapshotStore } from '../snapshots/file-snapshot-store.js';
import { gatewayStart } from './gateway-config.js';
import { answerManager, identifyClient, openManagerLink } from './manager-link.js';
import { ResidentGateway } from './resident-gateway.js';

const { config, openCluster } = await gatewayStart();
const peer = openManagerLink(config.epoch);
const files = new FileSnapshotStore(config.snapshotDir);
const cluster = await openCluster();
const { queue: queueConfig } = config;
const queue =
	queueConfig &&
	new (await import('./event-queue.js')).EventQueue({
		config: queueConfig,
		totalShards: config.layout.totalShards,
		token: process.env.DISCORD_TOKEN ?? '',
		clock: systemClock,
		api: config.api,
		onNotDeferred: (message) => peer.notify('notice', { shardIds: config.shardIds, kind: 'interactions:not-deferred', message }),
		...(cluster && { epoch: () => cluster.lease.epoch }),
	});
const gateway = new ResidentGateway({
	config,
	token: process.env.DISCORD_TOKEN ?? '',
	clock: systemClock,
	store: cluster?.store ?? files,
	fence: () => cluster?.fence() ?? files.nextFence(),
	...(cluster ? { lease: cluster.lease } : { tidy: (scope, fence) => files.keepGeneration(scope, fence) }),
	...(queue && { queue }),
	identify: identifyClient(peer),
	identifySuccessor: identifyClient(peer, { successor: true }),
	onSessionStarted: (session, terms) => peer.notify('session.started', { session, terms }),
	onRefused: (refusal) => peer.notify('session.refused', refusal),
	onConnection: (connection) => peer.notify('worker.connection', connection),
	onLost: (shardId, lost) => peer.notify('events.lost', { shardId, lost }),
	notice: (notice) => peer.notify('notice', notice),
});

const saved = deferred();
let ending: Promise<void> | undefined;
const end = (keepSessions: boolean): Promise<void> => {
	ending ??= gateway.stop({ keepSessions, onSaved: () => saved.resolve() });
	return ending;
};

answerManager(peer, gateway);
peer.handle('shutdown', async ({ keepSessions }) => {
	const ended = end(keepSessions);
	// Another process can continue from here on; this one waits for its connections to close before it exits.
	await Promise.race([saved.promise, ended]);
	const exit = () => exitAfterReply(peer);
	ended.then(exit, exit);
	return null;
});
await runService(peer, {
	async start() {
		const former = cluster ? [] : await files.formerFiles();
		if (former.length > 0) {
			const message = `ignoring ${former.length} files of an older version in ${config.snapshotDir}; starting new sessions; the files can be deleted`;
			peer.notify('notice', { shardIds: config.shardIds, kind: 'snapshot:unusable', message });
		}
		return gateway.start();
	},
	take: (socket) => gateway.take(socket),
	// Everything is saved first.
	onSignal: () => end(true),
	// Discord keeps the sessions for the next manager's processes; in a cluster another node takes over at once what is released here.
	async onManagerGone() {
		const since = systemClock.monotonic();
		const ended = end(true);
		await Promise.race([saved.promise, ended]);
		await Promise.all([cluster?.release(since), ended]);
	},
});
