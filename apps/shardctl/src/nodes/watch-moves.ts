// Prints the moves of sessions between nodes while something makes them, until that has ended. What cannot be read is not printed: the moves
// happen without this.
import type { ControlClient, SessionPlace } from '@shardctl/control';
import { describeShards, sleep, systemClock } from '@shardctl/core';
import { printErr } from '../terminal/print.js';

const pollMs = 200;

/** Runs `action` and meanwhile prints each session that has moved. */
export async function withMoves<T>(client: ControlClient, action: () => Promise<T>): Promise<T> {
	let before = await places(client);
	const look = async () => {
		const now = await places(client);
		for (const line of moves(before, now)) printErr(`${line}\n`);
		before = now.length > 0 ? now : before;
	};
	const over = new AbortController();
	const watching = (async () => {
		while (!over.signal.aborted) {
			await sleep(systemClock, pollMs, over.signal).catch(() => {});
			await look();
		}
	})();
	try {
		return await action();
	} finally {
		over.abort();
		await watching;
	}
}

/** A line for each session that is on another node than before. */
export function moves(before: readonly SessionPlace[], now: readonly SessionPlace[]): string[] {
	const nodeOf = new Map(before.map(({ session, node }) => [session, node]));
	return now.flatMap(({ session, shardIds, node }) => {
		const from = nodeOf.get(session);
		if (node === null || from === undefined || from === node) return [];
		return [`session ${session} (${describeShards(shardIds)}): ${from === null ? '' : `${from} → `}${node}`];
	});
}

async function places(client: ControlClient): Promise<SessionPlace[]> {
	try {
		return (await client.placement()).sessions;
	} catch {
		return [];
	}
}
