// Fleets that are made up, for the page in states that a real fleet is in only for seconds: their figures at any moment, and what happened in
// them. The same moment of the same fleet always has the same figures.

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** When every fleet is looked at. */
export const sceneTime = Date.UTC(2026, 2, 12, 14, 5, 30);
export const version = '0.1.0';
const name = 'my-bot';
const megabyte = 2 ** 20;

const crash = "TypeError: Cannot read properties of undefined (reading 'permissions')";
const crashText = `process 48205 died of an uncaught exception: ${crash} (exit code 1, after 11 h)`;
const brokenAt = sceneTime - 16 * second;

/** What differs from a fleet of 16 shards that has run well for days. */
const scenes = {
	healthy: {},
	'start-up': { shards: 40, perWorker: 4, startedAt: sceneTime - 52 * second, isStarting: true },
	degraded: { broken: { workerId: 5, at: brokenAt, message: crashText } },
	deploy: { deploy: { done: 5, startedAt: sceneTime - 21 * second } },
	nodes: { shards: 48, perWorker: 1, nodes: ['fra-1', 'fra-2', 'iad-1'], draining: 'fra-2', drained: 5 },
	large: { shards: 1000, perWorker: 10, guildsPerShard: 1450 },
	small: { shards: 100, perWorker: 10, guildsPerShard: 1450 },
};

/** The figures of a fleet at a moment, in epoch ms. */
export function figuresAt(sceneName, at) {
	const scene = { ...sceneDefaults, ...scenes[sceneName] };
	const shards = list(scene.shards, (id) => shardAt(scene, id, at));
	const workers = list(Math.ceil(scene.shards / scene.perWorker), (id) => workerAt(scene, id, at));
	const served = shards.filter(({ ready }) => ready).length;
	const causes = causesAt(scene, at);
	return {
		manager: {
			name,
			pid: 48_102,
			version,
			totalShards: scene.shards,
			shardIds: shards.map(({ shardId }) => shardId),
			workers: workers.length,
			startedAt: scene.startedAt,
			uptimeMs: at - scene.startedAt,
			status: scene.isStarting ? 'starting' : served < shards.length ? 'degraded' : 'running',
			identify: {
				total: 1000,
				remaining: scene.isStarting ? 1000 - startedBy(scene, at) : 941,
				resetAt: sceneTime + 9 * hour + 12 * minute,
				maxConcurrency: 1,
				granted: scene.isStarting ? startedBy(scene, at) : 59,
			},
		},
		health: {
			status: causes.length > 0 || served < shards.length ? 'degraded' : 'healthy',
			served,
			shards: shards.length,
			causes,
		},
		losses: lossesOf(scene),
		shards,
		workers,
		gateways: gatewaysAt(scene, at),
		rest: restAt(scene, at),
		...(scene.deploy ? { deploy: deployAt(scene, at) } : {}),
	};
}

/** The nodes of a fleet, and the sessions that move between them; undefined for one on one machine. */
export function clusterOf(sceneName) {
	const scene = { ...sceneDefaults, ...scenes[sceneName] };
	if (!scene.nodes) return undefined;
	const ids = list(scene.shards, (id) => id);
	const nodes = scene.nodes.map((node) => {
		const shards = ids.filter((id) => nodeOf(scene, id) === node).length;
		return {
			name: node,
			status: node === scene.draining ? 'draining' : 'ready',
			pid: 48_102,
			version,
			sessions: shards,
			shards,
			workers: shards / scene.perWorker,
			capacity: null,
			leaseMs: 12_000,
			startedAt: scene.startedAt,
		};
	});
	const moving = ids.find((id) => nodeOf(scene, id) === scene.draining);
	const places = ids.map((id) => {
		const isMoving = id === moving || id === moving + 1;
		return {
			session: id,
			shardIds: [id],
			node: nodeOf(scene, id),
			phase: isMoving ? 'moving' : 'held',
			target: isMoving ? scene.nodes[0] : null,
		};
	});
	return { node: scene.nodes[0], nodes, places };
}

/** What happened, oldest first: in ms before it is looked at, with the event. */
export function eventsOf(sceneName) {
	if (sceneName === 'degraded') {
		const shardIds = [10, 11];
		const stderrTail = [
			crash,
			'    at canModerate (/srv/my-bot/src/moderation.js:41:28)',
			'    at Client.onMessage (/srv/my-bot/src/events/message.js:17:9)',
		];
		const common = { reason: 'uncaught-exception', code: 1, signal: null, stack: [], stderrTail };
		const exit = { ...common, message: crashText, pid: 48_205, uptimeMs: 11 * hour };
		return [
			[16_000, { type: 'worker:exited', workerId: 5, shardIds, exit }],
			[15_000, { type: 'worker:spawned', workerId: 5, shardIds, pid: 51_877, epoch: 3 }],
		];
	}
	if (sceneName === 'deploy') {
		return list(5, (id) => [
			19_000 - 3500 * id,
			{ type: 'worker:deployed', workerId: id, shardIds: [2 * id, 2 * id + 1], tookMs: 2100 + 130 * id },
		]);
	}
	if (sceneName === 'nodes') {
		return list(5, (id) => [
			30_000 - 5000 * id,
			{ type: 'cluster:session-ready', sessions: [16 + id], shardIds: [16 + id], how: 'moved', tookMs: 1620 + 70 * id },
		]);
	}
	if (sceneName === 'start-up') {
		return list(10, (id) => [50_000 - 5000 * id, { type: 'shard:ready', shardId: id, workerId: Math.floor(id / 4) }]);
	}
	return [
		[38 * minute, { type: 'worker:exited', workerId: 2, shardIds: [4, 5], exit: memoryExit }],
		[38 * minute - 2500, { type: 'worker:ready', workerId: 2, shardIds: [4, 5], tookMs: 2400 }],
		[
			12 * minute,
			{ type: 'gateway:notice', gatewayId: 0, shardIds: [9], kind: 'upstream:resumed', message: 'resumed its session' },
		],
	];
}

const memoryExit = {
	reason: 'memory-limit',
	message: 'process 48198 used 612 MB of memory; its limit is 600 MB',
	code: null,
	signal: 'SIGTERM',
	pid: 48_198,
	uptimeMs: 3 * hour,
	stack: [],
	stderrTail: [],
};

const sceneDefaults = {
	shards: 16,
	perWorker: 2,
	guildsPerShard: 1180,
	startedAt: sceneTime - (6 * 24 + 4) * hour,
};

/** One start every 5 s, as Discord allows it. */
const startedBy = ({ startedAt }, at) => Math.max(0, Math.floor((at - startedAt) / 5000));

function statusOf(scene, id, at) {
	if (scene.isStarting) {
		const started = startedBy(scene, at);
		return id < started ? 'ready' : id === started ? 'identifying' : 'waiting';
	}
	return isBroken(scene, Math.floor(id / scene.perWorker), at) ? 'booting' : 'ready';
}

function isBroken({ broken }, workerId, at) {
	return broken !== undefined && workerId === broken.workerId && at >= broken.at;
}

function shardAt(scene, shardId, at) {
	const workerId = Math.floor(shardId / scene.perWorker);
	const worker = workerAt(scene, workerId, at);
	const status = statusOf(scene, shardId, at);
	const isReady = status === 'ready';
	const guilds = Math.round(scene.guildsPerShard * (0.96 + 0.08 * noise(shardId)));
	return {
		shardId,
		workerId,
		pid: worker.pid,
		status,
		since: scene.isStarting ? scene.startedAt + 5000 * shardId : isReady ? scene.startedAt : scene.broken.at,
		ready: isReady,
		guildCount: isReady ? guilds : 0,
		userCount: isReady ? guilds * 212 : 0,
		ping: isReady ? Math.round(31 + 14 * noise(shardId, at, minute)) : null,
		memoryMb: worker.rssBytes === null ? null : worker.rssBytes / megabyte / scene.perWorker,
		cpuPercent: worker.rssBytes === null ? null : (2 + 3 * load(at) + 2 * noise(shardId, at)) / scene.perWorker,
		loopDelayMs: worker.rssBytes === null ? null : 11 + 6 * noise(workerId, at) + (noise(workerId, at) > 0.9997 ? 60 : 0),
		uptimeMs: at - worker.since,
		restarts: worker.restarts,
		lastExit: worker.lastExit,
		closeCode: null,
		...(scene.nodes ? { node: nodeOf(scene, shardId) } : {}),
	};
}

function workerAt(scene, id, at) {
	const isDown = isBroken(scene, id, at);
	const isPlanned = scene.isStarting && at < scene.startedAt + 4000;
	const shardIds = list(scene.perWorker, (index) => id * scene.perWorker + index).filter((shardId) => shardId < scene.shards);
	const isReady = shardIds.every((shardId) => statusOf(scene, shardId, at) === 'ready');
	const { broken } = scene;
	return {
		id,
		shardIds,
		state: isReady ? 'ready' : 'starting',
		since: isDown ? broken.at + 1000 : scene.startedAt,
		tries: isDown ? 2 : 0,
		failingSince: isDown ? broken.at : null,
		nextTryAt: null,
		lastAnswerAt: at - 400,
		heartbeat: { intervalMs: 5000, timeoutMs: 30_000 },
		pid: isPlanned ? null : isDown ? 51_877 : 48_200 + id,
		restarts: broken?.workerId === id && isDown ? 2 : 0,
		lastExit: isDown ? { reason: 'uncaught-exception', message: broken.message, at: broken.at } : null,
		rssBytes: isPlanned ? null : memoryOf(scene, id, at),
		memoryLimitBytes: 600 * megabyte,
		...(scene.nodes ? { node: nodeOf(scene, id * scene.perWorker) } : {}),
	};
}

/** It grows and is collected. */
function memoryOf(scene, id, at) {
	if (isBroken(scene, id, at)) return 96 * megabyte;
	const cycle = ((at / minute + 7 * id) % 23) / 23;
	return Math.round((236 + 24 * noise(id) + 58 * cycle) * megabyte);
}

function nodeOf(scene, shardId) {
	const { shards, nodes, draining, drained } = scene;
	const share = shards / nodes.length;
	const own = nodes[Math.floor(shardId / share)];
	return own === draining && shardId % share < drained ? nodes[(shardId % 2) * 2] : own;
}

function causesAt(scene, at) {
	const common = { tries: 0, nextTryAt: null, lost: 0, remedy: null };
	if (scene.isStarting) {
		const shardIds = list(scene.shards, (id) => id).filter((id) => statusOf(scene, id, at) !== 'ready');
		return [
			{ ...common, kind: 'starting', effect: 'progress', shardIds, message: 'the fleet is starting', since: scene.startedAt },
		];
	}
	if (!scene.broken || at < scene.broken.at) return [];
	return [
		{
			...common,
			kind: 'worker-down',
			effect: 'outage',
			shardIds: [10, 11],
			message: `worker 5 (shards 10-11) is restarting: ${scene.broken.message}`,
			since: scene.broken.at,
			tries: 1,
			remedy: 'look at its last errors; each restart continues the session with Discord',
		},
		{
			...common,
			kind: 'disk-full',
			effect: 'risk',
			shardIds: [],
			message: 'the disk of the state folder has 3% left (412 MB): snapshots cannot be saved on a full disk',
			since: scene.broken.at - 6 * minute,
			remedy: 'make room on the disk of /var/lib/my-bot',
		},
	];
}

function lossesOf({ startedAt, broken }) {
	const byReason = { 'worker-died': broken ? 3 : 0, 'buffer-full': 0, expired: 0, poisoned: 0 };
	const last = broken ? { at: broken.at, reason: 'worker-died', shardIds: [10, 11], events: 3 } : null;
	return { since: startedAt, events: broken ? 3 : 0, byReason, sessions: 0, last };
}

function gatewaysAt(scene, at) {
	const owners = scene.nodes ?? [undefined];
	return owners.map((node) => {
		const ids = list(scene.shards, (id) => id).filter((id) => node === undefined || nodeOf(scene, id) === node);
		const counters = Object.fromEntries(
			['workerIdentifies', 'workerResumes', 'overflowed', 'expired', 'coalesced', 'lost', 'repeated', 'poisoned'].map((key) => [
				key,
				0,
			]),
		);
		return {
			id: 0,
			pid: 48_110,
			status: 'ready',
			shardIds: ids,
			startedAt: scene.startedAt,
			uptimeMs: at - scene.startedAt,
			restarts: 0,
			since: scene.startedAt,
			tries: 0,
			nextTryAt: null,
			lastExit: null,
			lastAnswerAt: at,
			snapshotFailure: null,
			rssBytes: Math.round((210 + 40 * noise(900, at, minute)) * megabyte),
			cpuSeconds: 1800,
			...(node === undefined ? {} : { node }),
			sessions: ids.map((id) => {
				const isReady = !scene.isStarting || id < startedBy(scene, at);
				return {
					id,
					shardIds: [id],
					status: isReady ? 'ready' : 'connecting',
					since: scene.startedAt,
					tries: 0,
					nextTryAt: null,
					lastClose: null,
					intents: 33_281,
					waitsForBudget: false,
					lastEventAt: isReady ? at - 300 : null,
					ping: isReady ? Math.round(28 + 9 * noise(id, at, minute) + (noise(id, at) > 0.9995 ? 60 : 0)) : null,
					identifies: 1,
					resumes: 0,
					sessionsLost: 0,
					requestsWaiting: 0,
					requestsDropped: 0,
				};
			}),
			shards: ids.map((id) => {
				const isReady = statusOf(scene, id, at) === 'ready';
				const waits = isBroken(scene, Math.floor(id / scene.perWorker), at);
				const rate = scene.isStarting && !isReady ? 0 : scene.guildsPerShard * (0.024 + 0.016 * load(at) + 0.006 * noise(id, at));
				return {
					...counters,
					shardId: id,
					session: id,
					worker: waits ? 'away' : 'connected',
					guildCount: scene.guildsPerShard,
					stateBytes: 41 * megabyte,
					bufferedEvents: waits ? Math.round((rate * (at - scene.broken.at)) / 1000) : noise(id, at) > 0.985 ? 3 : 0,
					bufferedBytes: 0,
					bufferAgeMs: waits ? at - scene.broken.at : 3,
					lagMs: 4,
					eventsPerSecond: rate,
					received: 8_412_905 + 977 * id,
					delivered: 8_412_905 + 977 * id,
					lost: waits ? 1 + (id % 2) : 0,
					snapshotBytes: 5 * megabyte,
					snapshotAgeMs: 2000,
					snapshotFailure: null,
				};
			}),
		};
	});
}

function restAt(scene, at) {
	const perSecond = scene.isStarting ? 2 : 11;
	return {
		pid: 48_111,
		status: 'ready',
		restarts: 0,
		since: scene.startedAt,
		tries: 0,
		failingSince: null,
		nextTryAt: null,
		lastAnswerAt: at,
		lastExit: null,
		rssBytes: 88 * megabyte,
		cpuSeconds: 420,
		requests: Math.round(((at - scene.startedAt) / second) * perSecond + 4 * load(at)),
		queued: noise(700, at) > 0.985 ? 2 : 0,
		limited: 0,
		invalid: 0,
		guarded: false,
		globalPerSecond: 50,
		p50Ms: 48,
		p99Ms: 131,
		classes: {},
		bufferedBytes: 0,
	};
}

function deployAt({ deploy, perWorker }, at) {
	const shardIds = list(perWorker, (index) => deploy.done * perWorker + index);
	return {
		id: 3,
		state: 'replacing',
		stage: 'watching the new process',
		workerId: deploy.done,
		shardIds,
		stageMs: 1400,
		startedAt: deploy.startedAt,
		tookMs: at - deploy.startedAt,
		done: deploy.done,
		total: 8,
		error: null,
		queued: 0,
	};
}

/** How busy the bot is, from 0 to 1: slowly up and down. */
function load(at) {
	return 0.5 + 0.3 * Math.sin(at / (19 * minute)) + 0.2 * Math.sin(at / (5 * minute));
}

/** From 0 to 1, at random and yet the same for the same arguments; another one in each step of time. */
function noise(id, at = 0, step = 5000) {
	const value = Math.sin(id * 12.9898 + Math.floor(at / step) * 78.233) * 43_758.5453;
	return value - Math.floor(value);
}

function list(length, make) {
	return Array.from({ length }, (_, index) => make(index));
}
