// `stats --watch`: follows the figures of a fleet, on a live screen in a terminal, as consecutive tables elsewhere. Reconnects
// when the manager is restarted.
import type { ControlClient } from '@shardctl/control';
import { messageOf, ShardctlError, sleep, systemClock } from '@shardctl/core';
import type { ManagerStats } from '@shardctl/manager';
import { followStream } from '../follow.js';
import { printOut } from '../terminal/print.js';
import { FleetHistory, fleetScreen, type ScreenState } from './fleet-screen.js';
import { openScreen } from './screen.js';
import { statsTable } from './stats-table.js';

export interface WatchOptions {
	label: string;
	intervalMs: number;
	json: boolean;
}

const retryMs = 1000;

export async function watchStats(client: ControlClient, { label, intervalMs, json }: WatchOptions): Promise<void> {
	if (json || !process.stdout.isTTY) {
		await followStream(
			(signal) => client.followStats({ intervalMs, signal }),
			(stats) =>
				printOut(
					json ? `${JSON.stringify(stats)}\n` : `${statsTable(stats, { width: Number.POSITIVE_INFINITY, nowMs: Date.now() })}\n`,
				),
		);
		return;
	}
	// Reports a fleet that does not run before the screen is entered.
	await client.health();
	await watchOnScreen(client, { label, intervalMs });
}

async function watchOnScreen(client: ControlClient, { label, intervalMs }: { label: string; intervalMs: number }): Promise<void> {
	const history = new FleetHistory();
	const quit = new AbortController();
	const state: ScreenState = { label, stats: undefined, problem: undefined, scroll: 0, gateways: false };
	const screen = openScreen();
	const draw = () => screen.draw((size) => fleetScreen(state, history, { ...size, nowMs: Date.now() }));
	screen.onKey((key) => {
		if (key === 'q' || key === '\u0003' || key === '\u001b') quit.abort();
		if (key === 'g') {
			state.gateways = !state.gateways;
			draw();
		}
		const step = { '\u001b[A': -1, k: -1, '\u001b[B': 1, j: 1, '\u001b[5~': -10, '\u001b[6~': 10, ' ': 10 }[key];
		if (step === undefined) return;
		const last = Math.max(0, (state.stats?.shards.length ?? 0) - 1);
		state.scroll = Math.min(last, Math.max(0, state.scroll + step));
		draw();
	});
	screen.onResize(draw);
	const onSignal = () => quit.abort();
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, onSignal);
	try {
		while (!quit.signal.aborted) {
			try {
				for await (const followed of client.followStats({ intervalMs, signal: quit.signal })) {
					if (!('item' in followed)) continue;
					show(followed.item);
				}
				state.problem = 'the manager has exited; waiting for it to start again';
			} catch (error) {
				if (quit.signal.aborted) break;
				state.problem = ShardctlError.is(error) ? error.message : messageOf(error);
			}
			draw();
			await sleep(systemClock, retryMs, quit.signal).catch(() => {});
		}
	} finally {
		screen.close();
	}

	function show(stats: ManagerStats): void {
		state.stats = stats;
		state.problem = undefined;
		history.add(stats);
		draw();
	}
}
