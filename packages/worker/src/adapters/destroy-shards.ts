// Closes the connections of @discordjs/ws, used alone or by discord.js, and of old versions of discord.js that connect by themselves
// (their destroy() reports nothing). Before READY its destroy() never resolves: aborting the wait
// for READY starts a reconnect, which removes the listener that destroy() waits for.
import { field } from '../fields.js';

/** A connection of @discordjs/ws: a WebSocket of the `ws` package. */
interface Socket {
	readyState: number;
	once(event: 'close', listener: () => void): unknown;
}

const closedState = 3;

/**
 * Resolves when `destroy` is done, or every socket that was open is closed; where `destroy` has no promise, when the sockets are.
 * The caller enforces the timeout.
 *
 * @param manager It, or its strategy, has the shards.
 */
export async function destroyShards(manager: unknown, destroy: () => Promise<void> | void): Promise<void> {
	const shards = field(field(manager, 'strategy') ?? manager, 'shards');
	const sockets = shards instanceof Map ? [...shards.values()].map((shard) => field(shard, 'connection')) : [];
	const closed = (sockets as (Socket | null | undefined)[])
		.filter((socket) => socket && socket.readyState !== closedState)
		.map((socket) => new Promise<void>((resolve) => socket?.once('close', resolve)));
	const destroyed = destroy();
	if (closed.length === 0) await destroyed;
	else await Promise.race([...(destroyed ? [destroyed] : []), Promise.all(closed)]);
}
