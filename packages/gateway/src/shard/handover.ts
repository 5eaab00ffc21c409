// The gateway's side of a hand-over: which process of a worker receives a shard's stream, and how the stream passes from the present
// process to its successor. Driven by the manager's requests, each of which names the successor by its incarnation.
//
//   none ──begin──▶ announced ──IDENTIFY──▶ waiting ──pause──▶ pausing ──confirmed──▶ paused ──present──▶ presenting ──commit──▶ none
//
//   none        the present process alone is admitted
//   announced   the successor boots; its IDENTIFY will be held
//   waiting     its IDENTIFY is held; the present process still receives the stream
//   pausing     the stream is paused; the present process has not confirmed everything that it was sent
//   paused      it has confirmed everything
//   presenting  the IDENTIFY is answered: the successor receives READY and its guilds, and becomes ready
//   committing  there is no way back: the successor's session is being saved, then the stream is its
//   closed      no process is admitted any more
//
// A process that was replaced may be kept running, to be brought back: its IDENTIFYs are held until `worker.expect` names it again.
//
// An abort leads from any state before `committing` back to `none`, and the stream continues to the present process. A request that
// does not fit the state, or names another incarnation, is stale: it changes nothing and throws `PROTOCOL_ERROR`.
import { type Deferred, deferred, ShardctlError } from '@shardctl/core';

export type HandoverState = 'none' | 'announced' | 'waiting' | 'pausing' | 'paused' | 'presenting' | 'committing' | 'closed';

/** Where each state can lead. */
export const handoverTransitions: Readonly<Record<HandoverState, readonly HandoverState[]>> = {
	none: ['announced', 'closed'],
	announced: ['waiting', 'none', 'closed'],
	waiting: ['pausing', 'none', 'closed'],
	pausing: ['paused', 'none', 'closed'],
	paused: ['presenting', 'none', 'closed'],
	presenting: ['committing', 'none', 'closed'],
	committing: ['none', 'closed'],
	closed: [],
};

/** What a hand-over does to the shard. */
export interface HandoverActions {
	/** Stops the stream to the present process. Resolves with whether it has confirmed in time everything that it was sent. */
	pause(): Promise<boolean>;
	/** Resolves when the session of the present process is over. */
	released(): Promise<void>;
	/** Saves the successor's session, so that a later process of this gateway admits it. */
	saveSuccessor(): Promise<void>;
	/** The stream continues to the successor. */
	promote(): void;
	/** The successor is dropped, and the stream continues to the present process. */
	rollBack(): void;
}

/** A process that was replaced and is still running. */
interface Kept {
	readonly incarnation: number;
	/** Settled with whether it is the present process again. */
	readonly recalled: Deferred<boolean>;
}

interface Successor {
	readonly incarnation: number;
	/** Settled when its IDENTIFY is held. */
	readonly arrived: Deferred<void>;
	/** Whether its IDENTIFY is answered. */
	readonly admitted: Deferred<boolean>;
}

type Current =
	| { name: 'none' | 'closed'; successor: null }
	| { name: Exclude<HandoverState, 'none' | 'closed'>; successor: Successor };

export class Handover {
	readonly #shardId: number;
	readonly #actions: HandoverActions;
	#state: Current = { name: 'none', successor: null };
	/** The process that the stream is for; 0 for clients that are no worker of the manager's. */
	#present: number;
	#kept: Kept | null = null;
	/** The newest incarnation that was ever announced here. */
	#lastAnnounced = 0;

	constructor(shardId: number, present: number, actions: HandoverActions) {
		this.#shardId = shardId;
		this.#present = present;
		this.#actions = actions;
	}

	get state(): HandoverState {
		return this.#state.name;
	}

	get present(): number {
		return this.#present;
	}

	/** The incarnation that is to take over. */
	get successor(): number | null {
		return this.#state.successor?.incarnation ?? null;
	}

	/** From now on this incarnation is the present process; the one before it is dead. A hand-over under way is not affected. */
	replacePresent(incarnation: number): void {
		this.#present = incarnation;
		if (this.#kept?.incarnation === incarnation) this.#endKept(true);
	}

	/** Resolves with whether this process may identify: at once, unless it was replaced and is kept. */
	async recall(incarnation: number): Promise<boolean> {
		return this.#kept?.incarnation === incarnation ? this.#kept.recalled.promise : true;
	}

	/** Whether this process may have a session here, or is held until it may. */
	admits(incarnation: number): boolean {
		return this.state !== 'closed' && [this.#present, this.successor, this.#kept?.incarnation].includes(incarnation);
	}

	/** Resolves with whether the IDENTIFY of this process is answered: at once for the present process, at `present` for the successor. */
	async admission(incarnation: number): Promise<boolean> {
		const { name, successor } = this.#state;
		if (name === 'closed') return false;
		if (successor?.incarnation !== incarnation) return incarnation === this.#present;
		if (name === 'announced') {
			this.#enter('waiting', successor);
			successor.arrived.resolve();
		}
		return successor.admitted.promise;
	}

	/** `handover.begin`. One that is still under way was abandoned by the manager. */
	begin(incarnation: number): void {
		if (incarnation <= this.#lastAnnounced || incarnation === this.#present) throw this.#stale('begin', incarnation);
		if (this.state === 'committing' || this.state === 'closed') throw this.#stale('begin', incarnation);
		this.#lastAnnounced = incarnation;
		this.#endKept(false);
		if (this.#state.successor) this.abort(this.#state.successor.incarnation);
		const successor = { incarnation, arrived: deferred(), admitted: deferred<boolean>() };
		// There may be no waiter when it is aborted.
		successor.arrived.promise.catch(() => {});
		this.#enter('announced', successor);
	}

	/** `handover.waiting`: resolves when the IDENTIFY of the successor is held. */
	waiting(incarnation: number): Promise<void> {
		return this.#expect('waiting', incarnation, ['announced', 'waiting']).arrived.promise;
	}

	/** `handover.pause`: resolves with whether the present process has everything that it was sent. */
	async pause(incarnation: number): Promise<boolean> {
		const successor = this.#expect('pause', incarnation, ['waiting']);
		this.#enter('pausing', successor);
		const confirmed = await this.#actions.pause();
		if (this.#state.name !== 'pausing' || this.#state.successor !== successor) throw this.#stale('pause', incarnation);
		if (confirmed) this.#enter('paused', successor);
		return confirmed;
	}

	/** `handover.present`: answers the IDENTIFY of the successor. */
	answer(incarnation: number): void {
		const successor = this.#expect('present', incarnation, ['paused']);
		this.#enter('presenting', successor);
		successor.admitted.resolve(true);
	}

	/** `handover.released`: resolves when the present process has logged out. */
	async released(incarnation: number): Promise<void> {
		this.#expect('released', incarnation, ['presenting']);
		await this.#actions.released();
	}

	/** `handover.commit`: the stream continues to the successor. */
	async commit(incarnation: number, { keepPrevious = false }: { keepPrevious?: boolean } = {}): Promise<void> {
		const successor = this.#expect('commit', incarnation, ['presenting']);
		this.#enter('committing', successor);
		await this.#actions.saveSuccessor();
		if (this.state !== 'committing') throw this.#stale('commit', incarnation);
		if (keepPrevious) this.#kept = { incarnation: this.#present, recalled: deferred<boolean>() };
		this.#present = incarnation;
		this.#enter('none', null);
		this.#actions.promote();
	}

	/** `handover.abort`: the stream continues to the present process. */
	abort(incarnation: number): void {
		const successor = this.#expect('abort', incarnation, ['announced', 'waiting', 'pausing', 'paused', 'presenting']);
		this.#enter('none', null);
		this.#dismiss(successor);
		this.#actions.rollBack();
	}

	/** No process is admitted any more; a held IDENTIFY is refused. */
	close(): void {
		const { name, successor } = this.#state;
		if (name === 'closed') return;
		this.#enter('closed', null);
		this.#endKept(false);
		if (successor) this.#dismiss(successor);
	}

	#endKept(recalled: boolean): void {
		this.#kept?.recalled.resolve(recalled);
		this.#kept = null;
	}

	#dismiss({ incarnation, arrived, admitted }: Successor): void {
		admitted.resolve(false);
		arrived.reject(this.#stale('waiting', incarnation));
	}

	#expect(request: string, incarnation: number, states: readonly HandoverState[]): Successor {
		const { name, successor } = this.#state;
		if (successor?.incarnation !== incarnation || !states.includes(name)) throw this.#stale(request, incarnation);
		return successor;
	}

	#stale(request: string, incarnation: number): ShardctlError {
		const { name, successor } = this.#state;
		const hasState = successor
			? `the hand-over to worker process #${successor.incarnation} is ${name}`
			: `the hand-over is ${name}`;
		return new ShardctlError(
			'PROTOCOL_ERROR',
			`stale handover.${request} for worker process #${incarnation} on shard ${this.#shardId}: ${hasState}`,
			{
				details: { shardId: this.#shardId, request, incarnation, state: name, present: this.#present, successor: this.successor },
			},
		);
	}

	#enter(...[name, successor]: [Current['name'], Successor | null]): void {
		const from = this.#state.name;
		if (!handoverTransitions[from].includes(name)) {
			throw new ShardctlError('INTERNAL', `a hand-over cannot go from ${from} to ${name}`);
		}
		this.#state = { name, successor } as Current;
	}
}
