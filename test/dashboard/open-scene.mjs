// Serves the dashboard of a fleet that is made up, with the history of an hour: the control API and the page are real. After `pnpm build`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createControlClient } from '../../packages/control/dist/index.js';
import { startControl } from '../../packages/control/dist/server/index.js';
import { clusterOf, eventsOf, figuresAt, sceneTime, version } from './scenes.mjs';

const stepMs = 5000;
const hourMs = 3_600_000;

/**
 * Resolves once the hour before has passed, in a moment. The time of the fleet then runs as real time does.
 *
 * @param {string} scene A name of scenes.mjs.
 * @param {{ historyMs?: number }} [options] How long the manager has kept history (default: an hour).
 */
export async function openScene(scene, { historyMs = hourMs } = {}) {
	const { startedAt } = figuresAt(scene, sceneTime).manager;
	const clock = movedClock(Math.max(startedAt, sceneTime - historyMs));
	const fleet = madeUpFleet(scene, clock);
	const folder = mkdtempSync(join(tmpdir(), 'shardctl-scene-'));
	const before = process.env.SHARDCTL_STATE_DIR;
	const inFolder = () => {
		process.env.SHARDCTL_STATE_DIR = folder;
	};
	inFolder();
	const setup = { file: 'bot.js', logger: pino({ level: 'silent' }), clock };
	const control = await startControl(fleet, { dashboard: 0 }, setup);
	const events = eventsOf(scene);
	while (clock.now() < sceneTime) {
		const until = Math.min(sceneTime, clock.now() + stepMs);
		for (const [agoMs, event] of events) {
			const at = sceneTime - agoMs;
			if (at > clock.now() && at <= until) {
				await clock.advance(at - clock.now());
				fleet.emit(event);
			}
		}
		await clock.advance(until - clock.now());
	}
	let last = performance.now();
	let moves = Promise.resolve();
	const running = setInterval(() => {
		const now = performance.now();
		const passed = now - last;
		last = now;
		moves = moves.then(() => clock.advance(passed));
	}, 100);
	return {
		/** An address that logs in once. */
		async login() {
			inFolder();
			return (await createControlClient(fleet.name).dashboard()).url;
		},
		/** How often its figures were read. */
		get reads() {
			return fleet.reads;
		},
		async close() {
			clearInterval(running);
			await moves;
			await Promise.all([control.close({ how: 'stopped', code: null, message: 'the scene is over' }), clock.advance(2000)]);
			if (before === undefined) delete process.env.SHARDCTL_STATE_DIR;
			else process.env.SHARDCTL_STATE_DIR = before;
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** What the control API needs of a fleet to show it. */
function madeUpFleet(scene, clock) {
	const listeners = [];
	const figures = figuresAt(scene, sceneTime);
	const nodes = clusterOf(scene);
	const fleet = {
		name: figures.manager.name,
		version,
		totalShards: figures.manager.totalShards,
		reads: 0,
		async getStats() {
			fleet.reads++;
			return figuresAt(scene, clock.now());
		},
		getWorkers: async () => [],
		recentLogs: async () => [],
		onEvent: (listener) => void listeners.push(listener),
		onLog() {},
		emit(event) {
			for (const listener of listeners) listener(event);
		},
	};
	if (!nodes) return fleet;
	const cluster = {
		node: nodes.node,
		joined: true,
		whole: fleet,
		fleetOf: async () => fleet,
		nodes: async () => ({ cluster: { app: 'my-bot', engine: 'valkey', version: '9.0.0' }, nodes: nodes.nodes }),
		placement: async () => nodes.places,
		recentEvents: async () => [],
		follow: async () => {},
		serve() {},
	};
	return Object.assign(fleet, { cluster });
}

/** A clock that is moved. */
function movedClock(startMs) {
	let now = startMs;
	const timers = new Set();
	return {
		now: () => Math.round(now),
		monotonic: () => now,
		setTimeout(callback, delayMs) {
			const timer = { at: now + delayMs, callback };
			timers.add(timer);
			return timer;
		},
		clearTimeout: (timer) => void timers.delete(timer),
		async advance(ms) {
			const until = now + ms;
			for (;;) {
				const due = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
				if (!due) break;
				now = Math.max(now, due.at);
				timers.delete(due);
				due.callback();
				// What it has begun, such as reading figures, is done before time goes on.
				await new Promise((resolve) => setImmediate(resolve));
			}
			now = until;
		},
	};
}
