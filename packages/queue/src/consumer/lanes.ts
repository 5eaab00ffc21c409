// Runs entries side by side, and those of one guild one after the other. Knows neither Redis nor what running means.
import type { Entry } from './entry.js';

export interface LanesOptions {
	/** Entries that run at the same time, and as many that handlers may wait for. */
	concurrency: number;
	/** Asked right before an entry runs: `wait` until {@link Lanes.resume}, or `drop` it. */
	gate(entry: Entry): 'run' | 'wait' | 'drop';
	/** Whether nothing else may run beside an entry, apart from what its handler may wait for. */
	isAlone(entry: Entry): boolean;
	/** Never rejects. */
	run(entry: Entry): Promise<void>;
	/** An entry has run, or was dropped. */
	onGone(entry: Entry): void;
}

interface Lane {
	readonly key: string;
	/** A handler of another lane may wait for its entries. */
	readonly isAwaited: boolean;
	entries: Entry[];
	/** The entry that runs. */
	running: Entry | undefined;
}

export class Lanes {
	readonly #options: LanesOptions;
	readonly #lanes = new Map<string, Lane>();
	/** Lanes with an entry that may run, the one that waits longest first; and those that are awaited. */
	readonly #ready = new Set<Lane>();
	readonly #readyAwaited = new Set<Lane>();
	/** Lanes that wait for {@link resume}. */
	readonly #parked = new Set<Lane>();
	#running = 0;
	/** Of these, entries that are awaited: they have as many places of their own, so that handlers that wait for them cannot take all. */
	#runningAwaited = 0;
	/** The lane whose entry runs alone. */
	#alone: Lane | undefined;

	constructor(options: LanesOptions) {
		this.#options = options;
	}

	get running(): number {
		return this.#running;
	}

	push(entry: Entry): void {
		const key = laneOf(entry);
		let lane = this.#lanes.get(key);
		if (!lane) {
			lane = { key, isAwaited: isAwaited(entry), entries: [], running: undefined };
			this.#lanes.set(key, lane);
		}
		lane.entries.push(entry);
		if (!lane.running && !this.#parked.has(lane)) this.#makeReady(lane);
		this.#go();
	}

	/** Entries that the gate made wait are asked about again. */
	resume(): void {
		for (const lane of this.#parked) this.#makeReady(lane);
		this.#parked.clear();
		this.#go();
	}

	/** Takes out what has not begun to run. */
	drop(unwanted: (entry: Entry) => boolean): void {
		for (const lane of this.#lanes.values()) {
			const dropped = lane.entries.filter(unwanted);
			if (dropped.length === 0) continue;
			lane.entries = lane.entries.filter((entry) => !dropped.includes(entry));
			this.#forgetEmpty(lane);
			for (const entry of dropped) this.#options.onGone(entry);
		}
	}

	#makeReady(lane: Lane): void {
		(lane.isAwaited ? this.#readyAwaited : this.#ready).add(lane);
	}

	#go(): void {
		const { concurrency, isAlone } = this.#options;
		for (const lane of this.#readyAwaited) {
			if (this.#runningAwaited >= concurrency) break;
			this.#readyAwaited.delete(lane);
			this.#next(lane);
		}
		for (const lane of this.#ready) {
			// Where one waits until nothing runs, no other begins before it.
			if (this.#alone || this.#running - this.#runningAwaited >= concurrency) return;
			if (this.#running > 0 && isAlone(lane.entries[0] as Entry)) return;
			this.#ready.delete(lane);
			this.#next(lane);
		}
	}

	#next(lane: Lane): void {
		for (let entry = lane.entries[0]; entry; entry = lane.entries[0]) {
			const gate = this.#options.gate(entry);
			if (gate === 'wait') {
				this.#parked.add(lane);
				return;
			}
			if (gate === 'run') {
				const isAlone = !lane.isAwaited && this.#options.isAlone(entry);
				if (isAlone && this.#running > 0) {
					this.#makeReady(lane);
					return;
				}
				lane.entries.shift();
				if (isAlone) this.#alone = lane;
				void this.#run(lane, entry);
				return;
			}
			lane.entries.shift();
			this.#options.onGone(entry);
		}
		this.#forgetEmpty(lane);
	}

	async #run(lane: Lane, entry: Entry): Promise<void> {
		lane.running = entry;
		this.#running++;
		if (lane.isAwaited) this.#runningAwaited++;
		await this.#options.run(entry);
		this.#running--;
		if (lane.isAwaited) this.#runningAwaited--;
		lane.running = undefined;
		if (this.#alone === lane) this.#alone = undefined;
		if (lane.entries.length > 0) this.#makeReady(lane);
		else this.#forgetEmpty(lane);
		this.#options.onGone(entry);
		this.#go();
	}

	#forgetEmpty(lane: Lane): void {
		if (lane.entries.length > 0 || lane.running) return;
		this.#ready.delete(lane);
		this.#readyAwaited.delete(lane);
		this.#parked.delete(lane);
		this.#lanes.delete(lane.key);
	}
}

/**
 * A handler may wait for what it has asked for, and that arrives as events of its own guild: those have a lane of their own.
 * Discord: Gateway, "Request Guild Members" and "Request Soundboard Sounds".
 */
const answersOfDiscord: ReadonlySet<string> = new Set(['GUILD_MEMBERS_CHUNK', 'SOUNDBOARD_SOUNDS']);

function isAwaited({ type, guildId }: Entry): boolean {
	return guildId !== null && answersOfDiscord.has(type);
}

function laneOf(entry: Entry): string {
	const { guildId, partition } = entry;
	if (guildId === null) return `partition ${partition}`;
	return isAwaited(entry) ? `answers ${guildId}` : guildId;
}
