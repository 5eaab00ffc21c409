// Numbered messages of the simulated Discord at a steady rate: what a stalled machine did not send in time follows.
import type { Simulator } from '@shardctl/simulator';
import { onTestFinished } from 'vitest';

const tickMs = 10;
/** A machine that stalls does not send all that it has missed at once. */
const mostPerTick = 20;

export class MessageLoad {
	/** How many messages each guild has, by its place in `guilds`. */
	readonly counts = new Map<number, number>();
	readonly #simulator: Simulator;
	readonly #guilds: readonly string[];
	readonly #perSecond: number;
	readonly #onSaid: ((content: string) => void) | undefined;
	#timer: NodeJS.Timeout | undefined;
	/** Messages, and ms in which they were sent. */
	#total = 0;
	#runningMs = 0;
	/** Which of them the rate is counted from. */
	#from = { total: 0, atMs: 0 };

	/** Each message has the content `guild:n`, with a number of the guild. */
	constructor({ simulator, perSecond, onSaid }: { simulator: Simulator; perSecond: number; onSaid?(content: string): void }) {
		this.#simulator = simulator;
		this.#guilds = [...simulator.world.guilds.ids({ id: 0, count: 1 })];
		this.#perSecond = perSecond;
		this.#onSaid = onSaid;
		onTestFinished(() => this.stop());
	}

	get total(): number {
		return this.#total;
	}

	/** Messages a second, over the time in which it ran. */
	get rate(): number {
		const now = this.#timer ? performance.now() - this.#from.atMs : 0;
		return Math.round((this.#total * 1000) / Math.max(1, this.#runningMs + now));
	}

	start(): void {
		this.#from = { total: this.#total, atMs: performance.now() };
		this.#timer = setInterval(() => this.#tick(), tickMs);
	}

	stop(): void {
		if (!this.#timer) return;
		clearInterval(this.#timer);
		this.#timer = undefined;
		this.#runningMs += performance.now() - this.#from.atMs;
	}

	#tick(): void {
		const { total, atMs } = this.#from;
		const due = total + Math.floor(((performance.now() - atMs) * this.#perSecond) / 1000);
		const most = this.#total + Math.ceil((this.#perSecond * tickMs * mostPerTick) / 1000);
		while (this.#total < Math.min(due, most)) this.#say();
	}

	#say(): void {
		const index = this.#total++ % this.#guilds.length;
		const n = (this.counts.get(index) ?? 0) + 1;
		this.counts.set(index, n);
		const content = `${index}:${n}`;
		this.#onSaid?.(content);
		this.#simulator.emit('MESSAGE_CREATE', { content }, { guildId: this.#guilds[index] as string });
	}
}
