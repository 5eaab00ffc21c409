// Makes a shard's own `identify()` wait for its slot, for libraries (eris, oceanic.js, discord.js 14.0 to 14.9) that have no option
// for it. The socket is open and heartbeats while it waits, so nothing times out; an IDENTIFY after op 9 waits like any other.
import type { WorkerAccess } from '../client-adapter.js';
import { observeEmits } from '../observe-emits.js';

export interface IdentifyingShard {
	id: number;
	ws: unknown;
	identify(): void;
}

/** Where a library's shard keeps what is needed. The default is that of eris and oceanic.js. */
export interface ShardShape {
	/** The method that sends IDENTIFY. */
	identify: string;
	/** The field with the socket. */
	socket: string;
	/** The events of the shard after which a wait is of no use. */
	ended: readonly string[];
}

const usual: ShardShape = { identify: 'identify', socket: 'ws', ended: ['disconnect'] };
const gated = new WeakSet<object>();

export function gateIdentify(shard: { id: number }, { identify: gate }: WorkerAccess, shape: ShardShape = usual): void {
	if (gated.has(shard)) return;
	gated.add(shard);
	const fields = shard as unknown as Record<string, unknown>;
	const identify = (fields[shape.identify] as () => void).bind(shard);
	let waiting: AbortController | undefined;
	const giveUp = () => {
		waiting?.abort();
		waiting = undefined;
	};
	observeEmits(shard, Object.fromEntries(shape.ended.map((event) => [event, giveUp])));
	fields[shape.identify] = () => {
		giveUp();
		const attempt = new AbortController();
		waiting = attempt;
		const socket = fields[shape.socket];
		gate.wait(shard.id, attempt.signal).then(
			() => {
				if (fields[shape.socket] === socket && !attempt.signal.aborted) identify();
			},
			() => {
				// The connection ended during the wait; the library opens a new one, which waits again.
			},
		);
	};
}
