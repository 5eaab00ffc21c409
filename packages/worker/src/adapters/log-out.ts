// Logs out through a library whose `disconnect()` does not say when it is done: the process ends right after, and a close frame
// that has not left by then leaves the bot shown as online.

/** What eris and oceanic.js keep of a connection, and both take from the `ws` package. */
interface Socket {
	readyState: number;
	once(event: 'close', listener: () => void): unknown;
}

const closedState = 3;

/** Resolves when every socket that was open is closed. The caller watches the time. */
export async function logOut(shards: Iterable<{ ws: unknown }>, disconnect: () => void): Promise<void> {
	const sockets = [...shards].flatMap(({ ws }) => (ws ? [ws as Socket] : []));
	const closed = sockets
		.filter(({ readyState }) => readyState !== closedState)
		.map((socket) => new Promise<void>((resolve) => socket.once('close', resolve)));
	disconnect();
	await Promise.all(closed);
}
