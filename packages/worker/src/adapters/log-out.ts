// Logs out through a library whose `disconnect()` does not report completion: the process exits right after it, and without the
// close frame Discord would show the bot as online.

/** A connection of eris and oceanic.js: a WebSocket of the `ws` package. */
interface Socket {
	readyState: number;
	once(event: 'close', listener: () => void): unknown;
}

const closedState = 3;

/** Resolves when every socket that was open is closed. The caller enforces the timeout. */
export async function logOut(shards: Iterable<{ ws: unknown }>, disconnect: () => void): Promise<void> {
	const sockets = [...shards].flatMap(({ ws }) => (ws ? [ws as Socket] : []));
	const closed = sockets
		.filter(({ readyState }) => readyState !== closedState)
		.map((socket) => new Promise<void>((resolve) => socket.once('close', resolve)));
	disconnect();
	await Promise.all(closed);
}
