// Makes a shard's own `identify()` wait for its slot, for libraries (eris, oceanic.js) that have no option for it. The socket is
// open and heartbeats while it waits, so nothing times out; an IDENTIFY after op 9 waits like any other.
import type { WorkerAccess } from '../client-adapter.js';
import { observeEmits } from '../observe-emits.js';

export interface IdentifyingShard {
	id: number;
	ws: unknown;
	identify(): void;
}

const gated = new WeakSet<IdentifyingShard>();

export function gateIdentify(shard: IdentifyingShard, { identify: gate }: WorkerAccess): void {
	if (gated.has(shard)) return;
	gated.add(shard);
	const identify = shard.identify.bind(shard);
	let waiting: AbortController | undefined;
	const giveUp = () => {
		waiting?.abort();
		waiting = undefined;
	};
	observeEmits(shard, { disconnect: giveUp });
	shard.identify = () => {
		giveUp();
		const attempt = new AbortController();
		waiting = attempt;
		const socket = shard.ws;
		gate.wait(shard.id, attempt.signal).then(
			() => {
				if (shard.ws === socket && !attempt.signal.aborted) identify();
			},
			() => {
				// The connection ended during the wait; the library opens a new one, which waits again.
			},
		);
	};
}
