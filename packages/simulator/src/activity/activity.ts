// Life in the guilds: people write, type, react, talk, come and go, and use the bot's commands, so many events a second. The
// order of what happens comes from the seed. It has one timer while it runs and none when it does not.
import type { Timer } from '@shardctl/core';
import type { World } from '../world/world.js';
import { type EventKind, eventKinds } from './event-kinds.js';

/** How often each kind of event happens, relative to the others. */
export type EventMix = Partial<Record<EventKind, number>>;

/** Roughly what a chatty community looks like. */
export const defaultMix: Required<EventMix> = {
	message: 50,
	typing: 22,
	edit: 3,
	delete: 1,
	reaction: 8,
	voice: 5,
	presence: 5,
	join: 2,
	leave: 1,
	thread: 1,
	command: 2,
};

const minTickMs = 20;
const maxTickMs = 1000;
/** After a stall not more than this much is made up for. */
const maxBacklogMs = 2 * maxTickMs;

export class Activity {
	readonly #world: World;
	readonly #random: () => number;
	#timer: Timer | undefined;
	#eventsPerSecond = 0;
	#mix: [EventKind, number][] = [];
	#happened = 0;

	constructor({ world, random }: { world: World; random: () => number }) {
		this.#world = world;
		this.#random = random;
	}

	get eventsPerSecond(): number {
		return this.#eventsPerSecond;
	}

	/** How many events happened so far. */
	get happened(): number {
		return this.#happened;
	}

	/** Runs at this rate from now on; 0 stops. */
	start(eventsPerSecond: number, mix: EventMix = defaultMix): void {
		this.stop();
		if (eventsPerSecond <= 0) return;
		this.#eventsPerSecond = eventsPerSecond;
		this.#mix = Object.entries(mix).filter(([, weight]) => weight > 0) as [EventKind, number][];
		this.#arm(this.#world.clock.monotonic(), 0);
	}

	stop(): void {
		this.#world.clock.clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#eventsPerSecond = 0;
	}

	/** Makes one event happen now. Nothing happens where the world has nothing for it (no guilds, no commands). */
	once(kind: EventKind = this.#pickKind()): void {
		eventKinds[kind](this.#world, this.#random);
		this.#happened++;
	}

	#arm(lastMs: number, owed: number): void {
		this.#timer = this.#world.clock.setTimeout(
			() => {
				const nowMs = this.#world.clock.monotonic();
				const due = owed + (Math.min(nowMs - lastMs, maxBacklogMs) * this.#eventsPerSecond) / 1000;
				for (let n = 0; n < Math.floor(due); n++) this.once();
				this.#arm(nowMs, due - Math.floor(due));
			},
			Math.min(maxTickMs, Math.max(minTickMs, 1000 / this.#eventsPerSecond)),
		);
	}

	#pickKind(): EventKind {
		const mix = this.#mix.length > 0 ? this.#mix : (Object.entries(defaultMix) as [EventKind, number][]);
		let at = this.#random() * mix.reduce((sum, [, weight]) => sum + weight, 0);
		for (const [kind, weight] of mix) {
			at -= weight;
			if (at < 0) return kind;
		}
		return 'message';
	}
}
