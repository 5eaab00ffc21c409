// Node's own limits on a request that does not end, for a server that is handed its connections instead of listening.
import type { Server } from 'node:http';

/**
 * Makes `headersTimeout` and `requestTimeout` of a server effective that never listens: node starts to check them at the event `listening`
 * (the same in Node 20 to 26). `close` ends it.
 */
export function checkRequestTimeouts(server: Server): void {
	server.emit('listening');
}
