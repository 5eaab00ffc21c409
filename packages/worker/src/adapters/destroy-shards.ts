// Ends the connections of @discordjs/ws, by itself or in discord.js. Before READY its destroy() never resolves: the wait for READY
// that it calls off starts a reconnect, and that takes away the listener which destroy() waits for.
import { field } from './fields.js';

/** What @discordjs/ws keeps of a connection, and takes from the `ws` package. */
interface Socket {
	readyState: number;
	once(event: 'close', listener: () => void): unknown;
}

const closedState = 3;

/** Resolves when `destroy` is done, or every socket that was open is closed. The caller watches the time. */
export async function destroyShards(manager: unknown, destroy: () => Promise<void>): Promise<void> {
	const shards = field(field(manager, 'strategy'), 'shards');
	const sockets = shards instanceof Map ? [...shards.values()].map((shard) => field(shard, 'connection')) : [];
	const closed = (sockets as (Socket | null | undefined)[])
		.filter((socket) => socket && socket.readyState !== closedState)
		.map((socket) => new Promise<void>((resolve) => socket?.once('close', resolve)));
	const destroyed = destroy();
	await (closed.length > 0 ? Promise.race([destroyed, Promise.all(closed)]) : destroyed);
}
