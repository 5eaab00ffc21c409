// Notices when a fleet's health changes, and reports what began and what is over. A verdict on a large fleet costs something, so one is made
// only when there is a reason: an event, a silent worker, a fleet that is not healthy; and seldom without one, for what sends no event.
import type { EndedCause, HealthChange } from '@shardctl/control';
import { type Clock, every, type FleetHealth, type HealthCause } from '@shardctl/core';

/** How often the reasons are looked at. */
const intervalMs = 2000;
/** A verdict without a reason: the disk fills up, memory runs out, a gateway process freezes. */
const idleMs = 10_000;

export interface HealthWatchOptions {
	clock: Clock;
	health(): Promise<FleetHealth>;
	/** Whether something is known to be wrong that sends no event. Called often, so it has to be cheap. */
	suspects(): boolean;
	onChange(change: HealthChange): void;
}

/** A verdict, and when each of its causes was first known, in epoch ms. */
interface Seen {
	health: FleetHealth;
	began: ReadonlyMap<HealthCause, number>;
}

export class HealthWatch {
	readonly #options: HealthWatchOptions;
	#last: Seen = { health: { status: 'healthy', served: 0, shards: 0, causes: [] }, began: new Map() };
	#lastLookAt = Number.NEGATIVE_INFINITY;
	#noted = false;
	#looking = false;
	readonly #stop: () => void;

	constructor(options: HealthWatchOptions) {
		this.#options = options;
		this.#stop = every(options.clock, intervalMs, () => void this.#look());
	}

	/** Something happened that may change the verdict. */
	note(): void {
		this.#noted = true;
	}

	stop(): void {
		this.#stop();
	}

	/** One at a time; an answer that does not come in time is the next look's. */
	async #look(): Promise<void> {
		const { clock, health, suspects, onChange } = this.#options;
		if (this.#looking) return;
		const idle = clock.monotonic() - this.#lastLookAt < idleMs;
		if (idle && !this.#noted && this.#last.health.status === 'healthy' && !suspects()) return;
		this.#looking = true;
		this.#noted = false;
		this.#lastLookAt = clock.monotonic();
		try {
			const { change, seen } = compare(this.#last, await health(), clock.now());
			this.#last = seen;
			if (change) onChange(change);
		} catch {
			// Figures that cannot be had now are no change; the next look asks again.
			this.#noted = true;
		} finally {
			this.#looking = false;
		}
	}
}

/**
 * The change is undefined where there is none that a person would want to know: a start, a requested restart and the arrival of a session at a
 * node have events of their own.
 */
export function compare(before: Seen, health: FleetHealth, nowMs: number): { change: HealthChange | undefined; seen: Seen } {
	const { status, served, shards, causes } = health;
	const known = byPlace(before.health.causes);
	const present = byPlace(causes);
	const began = new Map(
		causes.map((cause) => {
			const earlier = placesOf(cause).flatMap((place) => before.began.get(known.get(place) as HealthCause) ?? []);
			return [cause, earlier.reduce((a, b) => Math.min(a, b), Math.min(cause.since ?? nowMs, nowMs))];
		}),
	);
	const seen = { health, began };
	const news = causes.filter((cause) => placesOf(cause).some((place) => !known.has(place)));
	const over: EndedCause[] = before.health.causes
		.filter((cause) => !placesOf(cause).some((place) => present.has(place)))
		.map((cause) => ({ ...cause, lastedMs: Math.max(0, nowMs - (before.began.get(cause) ?? nowMs)) }));
	if (![...news, ...over].some(({ effect }) => effect !== 'progress')) return { change: undefined, seen };
	return { change: { status, served, shards, began: news, ended: over }, seen };
}

/**
 * A cause of one kind on one shard counts as one: it continues while fewer shards have it, and is reported again when another shard has it. Its
 * message may count something.
 */
function byPlace(causes: readonly HealthCause[]): Map<string, HealthCause> {
	return new Map(causes.flatMap((cause) => placesOf(cause).map((place) => [place, cause] as const)));
}

function placesOf({ kind, shardIds }: HealthCause): string[] {
	return shardIds.length === 0 ? [kind] : shardIds.map((id) => `${kind} ${id}`);
}
