// The floor: the minimum that a process between Discord and a worker must do. It identifies, parses each event, gives it
// its own number, and sends it to the one connected client. It stores nothing and has no other feature.
import { createServer } from 'node:http';
import WebSocket, { WebSocketServer } from 'ws';

const { BENCH_UPSTREAM: upstream, DISCORD_TOKEN: token } = process.env;
const server = createServer();
const webSockets = new WebSocketServer({ server, perMessageDeflate: false });

webSockets.on('connection', (client, request) => {
	let seq = 0;
	let corked = false;
	const forward = (text) => {
		// Frames of one tick leave in one system call, as in the gateway.
		if (!corked) {
			corked = true;
			request.socket.cork();
			process.nextTick(() => {
				corked = false;
				request.socket.uncork();
			});
		}
		client.send(text);
	};
	client.on('message', (data) => {
		const message = JSON.parse(data);
		if (message.op !== 2) return;
		const discord = new WebSocket(`${upstream}/?v=10&encoding=json`, { perMessageDeflate: false });
		discord.on('message', (received) => {
			const { op, t, d } = JSON.parse(received);
			if (op === 10) discord.send(JSON.stringify({ ...message, d: { ...message.d, token } }));
			else if (op === 0) forward(`{"t":${JSON.stringify(t)},"s":${++seq},"op":0,"d":${JSON.stringify(d)}}`);
		});
	});
	forward('{"op":10,"d":{"heartbeat_interval":41250}}');
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());
