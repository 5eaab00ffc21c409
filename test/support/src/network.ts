// The network between a client and a server on this machine, which can be cut: connections break, and new ones are refused.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Network {
	/** The address of the server, on loopback. */
	readonly port: number;
	/** Connections accepted while it was up. */
	readonly connections: number;
	/** Breaks every connection and refuses new ones. */
	cut(): Promise<void>;
	restore(): Promise<void>;
	close(): Promise<void>;
}

export async function networkTo(targetPort: number): Promise<Network> {
	const sockets = new Set<Socket>();
	let connections = 0;
	let server: Server | undefined;
	let port = 0;
	const restore = async () => {
		if (server) return;
		const opened = createServer((socket) => {
			connections++;
			const beyond = connect(targetPort, '127.0.0.1');
			for (const [end, other] of [
				[socket, beyond],
				[beyond, socket],
			] as const) {
				sockets.add(end);
				end.on('error', () => {});
				end.on('close', () => {
					sockets.delete(end);
					other.destroy();
				});
				end.pipe(other);
			}
		});
		server = opened;
		await new Promise<void>((resolve, reject) => opened.once('error', reject).listen(port, '127.0.0.1', resolve));
		port = (opened.address() as AddressInfo).port;
	};
	const cut = async () => {
		const closed = server && new Promise<void>((resolve) => server?.close(() => resolve()));
		server = undefined;
		for (const socket of sockets) socket.resetAndDestroy();
		await closed;
	};
	await restore();
	return {
		get port() {
			return port;
		},
		get connections() {
			return connections;
		},
		cut,
		restore,
		close: cut,
	};
}
