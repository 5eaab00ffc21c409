// One guard for every listener through which input from outside comes in: of HTTP servers, sockets, channels and streams.

/**
 * Wraps a listener so that neither a throw nor a rejection of it ends the process; `onFailure` gets the error with the listener's
 * arguments, to refuse that one request or end that one connection.
 *
 * @example
 * server.on('upgrade', guardListener((request, socket, head) => accept(request, socket, head), (error, _, socket) => socket.destroy()));
 */
export function guardListener<Args extends unknown[]>(
	listener: (...args: Args) => unknown,
	onFailure: (error: unknown, ...args: Args) => void,
): (...args: Args) => void {
	return (...args) => {
		try {
			const result = listener(...args);
			if (result instanceof Promise) result.catch((error: unknown) => onFailure(error, ...args));
		} catch (error) {
			onFailure(error, ...args);
		}
	};
}
