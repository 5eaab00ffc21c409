// Closes the connections of @discordjs/ws, used alone or by discord.js. Before READY its destroy() never resolves: aborting the wait
// for READY starts a reconnect, which removes the listener that destroy() waits for.
import { field } from '../fields.js';

/** A connection of @discordjs/ws: a WebSocket of the `ws` package. */
interface Socket {
	readyState: number;
	once(event: 'close', listener: () => void): unknown;
}

const closedState = 3;

/** Resolves when `destroy` is done, or every socket that was open is closed. The caller enforces the timeout. */
export async function destroyShards(manager: unknown, destroy: () => Promise<void>): Promise<void> {
	const shards = field(field(manager, 'strategy'), 'shards');
	const sockets = shards instanceof Map ? [...shards.values()].map((shard) => field(shard, 'connection')) : [];
	const closed = (sockets as (Socket | null | undefined)[])
		.filter((socket) => socket && socket.readyState !== closedState)
		.map((socket) => new Promise<void>((resolve) => socket?.once('close', resolve)));
	const destroyed = destroy();
	await (closed.length > 0 ? Promise.race([destroyed, Promise.all(closed)]) : destroyed);
}
