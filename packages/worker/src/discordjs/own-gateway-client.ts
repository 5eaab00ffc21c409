// discord.js 14.0 to 14.9 has a gateway client of its own, without an option for the pace of identifies: each of its shards waits at
// the gate by its method.
import { gateIdentify } from '../adapters/gated-identify.js';
import type { WorkerAccess } from '../client-adapter.js';
import { hasMethods } from '../fields.js';

interface OwnShard {
	id: number;
	manager: { client: { token: string | null } };
	connect(...args: unknown[]): unknown;
}

/** `connection` is replaced when the shard reconnects; an invalid session is asked for again by `connect()`. */
const shape = { identify: 'identifyNew', socket: 'connection', ended: ['close', 'destroyed', 'invalidSession'] };

interface OwnShardClass {
	prototype: OwnShard;
}

/** Whether the library's `WebSocketShard` is the one of these versions. */
export function hasOwnGatewayClient(shardClass: { prototype: unknown } | undefined): shardClass is OwnShardClass {
	return hasMethods(shardClass?.prototype, 'connect', shape.identify);
}

export function gateOwnGatewayClient({ prototype }: OwnShardClass, worker: WorkerAccess): void {
	const { connect } = prototype;
	prototype.connect = function connectGated(this: OwnShard, ...args: unknown[]): unknown {
		if (worker.isOwnToken(this.manager.client.token)) gateIdentify(this, worker, shape);
		return connect.apply(this, args);
	};
}
