// How a node joins and leaves: what it tries again, what it waits for, and what it reports meanwhile.
import type { ClusterNode, Timings } from '@shardctl/cluster';
import { type Clock, messageOf, orAborted, ShardctlError, sleep } from '@shardctl/core';
import type { ResolvedManagerOptions } from '../options/manager-options.js';

const pollMs = 100;
const joinAgainMs = 500;

interface Entry {
	clock: Clock;
	logger: Pick<ResolvedManagerOptions['logger'], 'info' | 'warn'>;
	signal: AbortSignal;
}

/** What a start asks Redis. A connection that breaks once, as where a network is just set up, is no reason not to start. */
export async function askedToJoin<T>(
	ask: () => Promise<T>,
	{ reconnected, logger }: Pick<Entry, 'logger'> & { reconnected(): Promise<void> },
): Promise<T> {
	try {
		return await ask();
	} catch (error) {
		if (!isCutOff(error)) throw error;
		logger.warn(`${messageOf(error)}; trying once more to join`);
		await reconnected();
		return ask();
	}
}

function isCutOff(error: unknown): boolean {
	return ShardctlError.is(error) && (error.code === 'REDIS_UNAVAILABLE' || error.code === 'CALL_TIMEOUT');
}

/**
 * Joins. A connection that breaks once, as where a network is just set up, is no reason not to start. Neither is the name of a process that
 * has just been killed, and is started again by a service manager: it is this node's when the lease of that one is over.
 */
export async function joinCluster({
	node,
	timings: { leaseMs, takeMarginMs },
	reconnected,
	clock,
	logger,
	signal,
}: Entry & {
	node: Pick<ClusterNode, 'start'>;
	timings: Pick<Timings, 'leaseMs' | 'takeMarginMs'>;
	/** Resolves when Redis can be reached again. */
	reconnected(): Promise<void>;
}): Promise<void> {
	const until = clock.monotonic() + leaseMs + 2 * takeMarginMs;
	let waits = false;
	let tried = false;
	for (;;) {
		try {
			await node.start();
			return;
		} catch (error) {
			const code = ShardctlError.is(error) ? error.code : undefined;
			if (code === 'NODE_NAME_TAKEN' && clock.monotonic() < until) {
				if (!waits)
					logger.warn(`${messageOf(error)}. If it was just killed, its lease ends within ${leaseMs / 1000} s: waiting for that`);
				waits = true;
				await sleep(clock, joinAgainMs, signal);
			} else if (!tried && isCutOff(error)) {
				tried = true;
				logger.warn(`${messageOf(error)}; trying once more to join`);
				await reconnected();
			} else throw error;
		}
	}
}

type Leaving = Pick<ClusterNode, 'node' | 'read' | 'update'> & { readonly state: Pick<ClusterNode['state'], 'sessions'> };

/** How long Redis may be away in a drain: what is released without it is resumed only when its lease is over. */
const redisAwayMs = 10_000;

/**
 * Moves every session to other nodes, as far as there are others. Rejects with `CALL_TIMEOUT`, with the error of Redis where it does not
 * answer for {@link redisAwayMs}, or with the signal's reason.
 */
export async function drainNode({ node, deadlineMs, clock, logger, signal }: Entry & { node: Leaving; deadlineMs: number }) {
	const until = clock.monotonic() + deadlineMs;
	const answered = async <T>(ask: () => Promise<T>): Promise<T> => {
		const patience = Math.min(until, clock.monotonic() + redisAwayMs);
		for (;;) {
			try {
				return await orAborted(ask(), signal);
			} catch (error) {
				if (signal.aborted || clock.monotonic() >= patience) throw error;
				await sleep(clock, pollMs, signal);
			}
		}
	};
	await answered(() => node.update({ draining: true }));
	let said = 0;
	while (node.state.sessions.length > 0) {
		// As it is now: a node that has just joined may not be in the last view yet.
		const view = await answered(() => node.read());
		const others = view.nodes.filter((row) => row.node !== node.node && row.leaseMs > 0 && row.member && !row.member.draining);
		// A Redis that was restarted learns only now which nodes there are; what is released before that is saved nowhere.
		if (others.length === 0 && !(view.quietMs > 0)) return;
		if (clock.monotonic() >= until)
			throw new ShardctlError('CALL_TIMEOUT', `not every session has moved within ${deadlineMs / 1000} s`);
		const left = node.state.sessions.length;
		if (left > 0 && left !== said)
			logger.info(`draining: ${left} ${left === 1 ? 'session' : 'sessions'} left to move to other nodes`);
		said = left;
		await sleep(clock, pollMs, signal);
	}
}

/** Without shared state nothing can move: what is released starts elsewhere. `because`: why it is not shared. */
export async function announceLeave({
	node,
	because,
	logger,
	signal,
}: Omit<Entry, 'clock'> & { node: Leaving; because: string }) {
	const count = node.state.sessions.length;
	if (count > 0) {
		const sessions = count === 1 ? 'session starts on another node' : `${count} sessions start on other nodes`;
		logger.info(`the ${sessions} with an IDENTIFY each, because ${because}`);
	}
	await orAborted(node.update({ draining: true }), signal);
}
