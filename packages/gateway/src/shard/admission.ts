// Decides on the IDENTIFY of a worker: only the present process of the worker and its announced successor are admitted, the session
// with Discord must have the worker's intents, and there must be a state to present.
import { type Clock, type CloseCode, fatalCloseCodes, type GatewayNotice } from '@shardctl/core';
import type { IdentifyAnswer, IdentifyPayload } from '@shardctl/gateway-protocol';
import type { ShardStream } from '../stream/shard-stream.js';
import type { Handover } from './handover.js';
import type { SavedShard } from './saved-shard.js';
import type { SessionLink } from './session-link.js';
import { within } from './within.js';

/** How long the first IDENTIFY after an intent upgrade waits until the new session's state is the shard's. */
const settleMs = 10_000;

export interface AdmissionOptions {
	handover: Pick<Handover, 'state' | 'present' | 'admits' | 'recall' | 'admission'>;
	session: SessionLink;
	stream: Pick<ShardStream, 'whenReady' | 'whenSettled'>;
	saved: Pick<SavedShard, 'ensureSnapshot'>;
	clock: Clock;
	/** The shard, by which the session knows whose intents are to be withdrawn. */
	shard: object;
	notice(kind: GatewayNotice['kind'], message: string): void;
}

export class Admission {
	readonly #options: AdmissionOptions;

	constructor(options: AdmissionOptions) {
		this.#options = options;
	}

	async decide(identify: IdentifyPayload, incarnation: number): Promise<IdentifyAnswer> {
		const { handover, session, stream, saved, clock, shard } = this.#options;
		if (!handover.admits(incarnation) || !(await handover.recall(incarnation))) return this.#reject(incarnation);
		const { intents, large_threshold: largeThreshold = null, presence = null } = identify;
		const ensured = await session.ensure({ intents, largeThreshold, presence }, shard);
		if (typeof ensured === 'object') return this.#refuse(ensured.close, ensured.detail);
		if (ensured === 'upgraded') await within(clock, settleMs, stream.whenSettled());
		if (!(await handover.admission(incarnation))) return this.#reject(incarnation);
		const refusedWith = await Promise.race([session.refusal(), stream.whenReady().then(() => undefined)]);
		if (refusedWith !== undefined)
			return { accept: false, close: refusedWith, detail: 'Discord refused the session with this code' };
		if (handover.state === 'closed') return this.#reject(incarnation);
		await saved.ensureSnapshot();
		session.showPresence(identify.presence);
		return { accept: true };
	}

	/** A process that was replaced or that outlived its successor, or any process while this one stops. */
	#reject(incarnation: number): IdentifyAnswer {
		const { state, present } = this.#options.handover;
		if (state === 'closed') return { accept: false, close: 4000, detail: 'the gateway process is stopping' };
		return this.#refuse(4000, `rejected an IDENTIFY from worker process #${incarnation}; #${present} is current`);
	}

	#refuse(close: CloseCode, detail: string): IdentifyAnswer {
		const meaning = fatalCloseCodes.get(close);
		this.#options.notice('worker:refused', meaning === undefined ? detail : `${detail} (${close}: ${meaning})`);
		return { accept: false, close, detail };
	}
}
