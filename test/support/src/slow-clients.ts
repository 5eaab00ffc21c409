// Clients that connect to a server and keep it waiting: they send nothing, or a request byte by byte that never ends.
import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';

export interface SlowClients {
	/** How many connections the server has not closed. */
	open(): number;
	/** Each of them sends one more byte of a request. */
	sendByte(): void;
	/** Each of them sends this. */
	send(text: string): void;
	/** What all of them have received. */
	receivedBytes(): number;
	close(): void;
}

const head = `GET / HTTP/1.1\r\nX-Slow: ${'x'.repeat(1000)}`;

/** As many at a time as the queue of a listening socket takes; more of them wait for a second and longer, or are refused. */
const atOnce = 100;

/** Opens connections; resolves when the system has accepted all of them. */
export async function slowClients(target: NetConnectOpts, count: number): Promise<SlowClients> {
	let bytes = 0;
	let received = 0;
	let open = 0;
	const sockets: Socket[] = [];
	const one = async () => {
		const socket = connect(target);
		await once(socket, 'connect');
		open++;
		socket.on('error', () => {});
		socket.once('close', () => open--);
		socket.on('data', (data) => {
			received += data.length;
		});
		sockets.push(socket);
	};
	while (sockets.length < count) await Promise.all(Array.from({ length: Math.min(atOnce, count - sockets.length) }, one));
	return {
		open: () => open,
		sendByte() {
			for (const socket of sockets) if (!socket.destroyed) socket.write(head[bytes % head.length] as string);
			bytes++;
		},
		send(text) {
			for (const socket of sockets) if (!socket.destroyed) socket.write(text);
		},
		receivedBytes: () => received,
		close() {
			for (const socket of sockets) socket.destroy();
		},
	};
}
