// Asks a fleet for its health, once or until it is healthy, and says what exit status that is.
import type { ControlClient } from '@shardctl/control';
import { type Clock, ShardctlError, sleep } from '@shardctl/core';
import type { FleetHealth } from '@shardctl/manager';

const pollMs = 500;

/** The exit status of `shardctl health`; 3 is that of every command that finds no fleet. */
export const healthExitCodes = { healthy: 0, degraded: 1, down: 2 } as const satisfies Record<FleetHealth['status'], number>;

export type HealthAnswer = Awaited<ReturnType<ControlClient['health']>>;

export interface ReadHealthOptions {
	/** A client for each look: the fleet may be started meanwhile. */
	connect(): Promise<Pick<ControlClient, 'health'>>;
	/** Ask again until the fleet is healthy, for so long at most; 0: ask once. */
	waitMs: number;
	clock: Clock;
}

/** The last answer. Throws what the last attempt threw, such as `MANAGER_NOT_RUNNING`. */
export async function readHealth({ connect, waitMs, clock }: ReadHealthOptions): Promise<HealthAnswer> {
	const until = clock.monotonic() + waitMs;
	for (;;) {
		const looked = await look(connect);
		const left = until - clock.monotonic();
		if (left <= 0 || ('answer' in looked && looked.answer.health.status === 'healthy')) {
			if ('answer' in looked) return looked.answer;
			throw looked.error;
		}
		await sleep(clock, Math.min(pollMs, left));
	}
}

async function look(connect: ReadHealthOptions['connect']): Promise<{ answer: HealthAnswer } | { error: unknown }> {
	try {
		return { answer: await (await connect()).health() };
	} catch (error) {
		// Wrong usage does not get right by waiting.
		if (ShardctlError.is(error) && error.code === 'OPTIONS_INVALID') throw error;
		return { error };
	}
}
