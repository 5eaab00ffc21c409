// What a gateway reports to its observer: every fact worth a line in a log. Plain data, no behaviour.
import type { ConnectionInfo } from './backend.js';
import type { SessionEnd } from './session-store.js';

/** `[shard_id, num_shards]`; `[0, 1]` where the client sent none, `null` where there is no session. */
type Slot = readonly [number, number];

export type GatewayObservation =
	| { type: 'connection'; connection: ConnectionInfo; userAgent: string }
	| {
			type: 'identify';
			connectionId: number;
			shard: Slot | null;
			intents: number;
			outcome: 'accepted' | 'refused' | 'closed';
			detail?: string;
			sessionId?: string;
	  }
	| {
			type: 'resume';
			connectionId: number;
			sessionId: string;
			shard: Slot | null;
			seq: number;
			outcome: 'accepted' | 'refused' | 'closed';
			replayed?: number;
			detail?: string;
	  }
	/** Op 9 went out. */
	| { type: 'invalid-session'; connectionId: number; resumable: boolean }
	/** Op 7 went out. */
	| { type: 'reconnect'; connectionId: number }
	| {
			type: 'close';
			connectionId: number;
			by: 'client' | 'server';
			code: number;
			detail: string;
			shard: Slot | null;
			sessionId: string | null;
	  }
	| { type: 'session-end'; sessionId: string; shard: Slot | null; end: SessionEnd };

export type GatewayObserver = (observation: GatewayObservation) => void;
