// Loaded into every process of a node, which then reaches some ports through a network of the node's own: a test can cut one node off
// from what the others reach at the same address. OWN_NETWORK is `port:port` pairs, comma-separated.
import { Socket } from 'node:net';

const routes = new Map((process.env.OWN_NETWORK ?? '').split(',').map((pair) => pair.split(':').map(Number)));
const connect = Socket.prototype.connect;
Socket.prototype.connect = function connectThroughOwnNetwork(...args) {
	// Node passes its normalized arguments on as one array.
	const [options] = Array.isArray(args[0]) ? args[0] : args;
	const port = routes.get(Number(options?.port));
	if (port !== undefined) options.port = port;
	return connect.apply(this, args);
};
