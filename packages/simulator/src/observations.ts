// Turns what the gateway observes into entries of the recorded log.
import type { GatewayObservation } from '@shardctl/gateway-protocol';
import type { EventLog } from './event-log.js';

export function recordObservation(log: EventLog, observation: GatewayObservation): void {
	if (observation.type === 'connection') {
		const { connection, userAgent } = observation;
		const { id, path, version, compression, remoteAddress } = connection;
		log.add('connection', { connectionId: id, path, version, compression, remoteAddress, userAgent });
		return;
	}
	const { type, ...details } = observation;
	const shard = 'shard' in observation ? observation.shard : null;
	log.add(type, { ...details, ...(shard && { shardId: shard[0] }) });
	// What a client did against the protocol is a violation as well, whatever it was closed with.
	if (type === 'close' && observation.by === 'server' && violatingCodes.has(observation.code)) {
		log.add('violation', {
			kind: 'protocol',
			connectionId: observation.connectionId,
			code: observation.code,
			detail: observation.detail,
			...(shard && { shardId: shard[0], shard }),
		});
	}
}

/** Codes that only a client's own fault brings. Faults on demand with these codes differ in their detail. */
const violatingCodes: ReadonlySet<number> = new Set([4001, 4002, 4003, 4004, 4005, 4007, 4008, 4010, 4011, 4012, 4013, 4014]);
