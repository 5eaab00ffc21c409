// A fleet in simulated time: Discord, one gateway process, two workers, and what their manager does. Any of them can be killed at any
// moment; what follows is what a manager does then. It records what the workers handled, and says what is wrong with that.
import { MemoryContent } from './memory-snapshot-store.js';
import { Random } from './random.js';
import { direct, SimulatedDiscord } from './simulated-discord.js';
import { SimulatedGateway } from './simulated-gateway.js';
import { SimulatedTime } from './simulated-time.js';
import { SimulatedWorker } from './simulated-worker.js';

export type Victim = 'worker' | 'gateway' | 'manager';

const totalShards = 4;
/** Of the configuration. */
const configuredSessions = 2;
const slices = [
	[0, 1],
	[2, 3],
] as const;
const guilds = 8;

interface Slot {
	worker: SimulatedWorker;
	incarnation: number;
}

export class SimulatedFleet {
	readonly time = new SimulatedTime();
	readonly discord: SimulatedDiscord;
	readonly random: Random;
	/** What happened, for the message of a failure. */
	readonly story: string[] = [];
	readonly #content = new MemoryContent();
	#gateway: SimulatedGateway;
	#slots: Slot[] = [];
	/** Grows when the manager is killed. */
	#manager = 0;
	#isManaged = false;
	#lastIncarnation = 0;
	#isTalking = false;
	#atRecord: (() => void) | undefined;
	/** Conversation → numbers in the order in which they were handled. */
	readonly #handled = new Map<string, number[]>();
	readonly #early: string[] = [];
	readonly #drifted: string[] = [];
	#longestPauseMs = 0;
	#longestWayMs = 0;
	/** Conversation and number → when it was written. */
	readonly #writtenAtMs = new Map<string, number>();

	constructor(seed: number) {
		this.random = new Random(seed);
		const { time } = this;
		this.discord = new SimulatedDiscord({ time, random: this.random.fork(), guilds });
		this.#gateway = this.#createGateway();
	}

	/** Resolves when every worker is ready. */
	async start(): Promise<void> {
		this.#startManager();
		await this.time.until('the workers to be ready', () => this.isReady, 60_000);
	}

	get isReady(): boolean {
		return this.#gateway.isListening && this.#slots.length > 0 && this.#slots.every(({ worker }) => worker.isReady);
	}

	/** Messages are written, until {@link hush}. */
	talk(everyMs: number): void {
		this.#isTalking = true;
		const say = () => {
			if (!this.#isTalking) return;
			if (this.random.chance(10)) this.discord.rename(this.random.of(this.discord.guildIds));
			else this.#say(this.random.chance(8) ? direct : this.random.of(this.discord.guildIds));
			this.time.setTimeout(say, this.random.upTo(2 * everyMs));
		};
		say();
	}

	#say(conversation: string): void {
		this.discord.say(conversation);
		this.#writtenAtMs.set(`${conversation} ${this.discord.said.get(conversation)}`, this.time.monotonic());
	}

	/** The longest time for which sessions that were replaced delivered nothing. */
	get longestPauseMs(): number {
		return this.#longestPauseMs;
	}

	/** The longest time from a message to its handler. */
	get longestWayMs(): number {
		return this.#longestWayMs;
	}

	hush(): void {
		this.#isTalking = false;
	}

	/** Asks for this number of sessions until every shard has it. */
	async reshard(to: number): Promise<void> {
		let refusal: unknown;
		let asked: SimulatedGateway | undefined;
		await this.time
			.until(
				`${to} sessions`,
				() => {
					const gateway = this.#gateway;
					if (!gateway.isListening) return false;
					if (gateway.counts.every((count) => count === to)) return true;
					if (asked === gateway) return false;
					asked = gateway;
					const groups = Math.min(to, ...gateway.counts);
					const each = Array.from({ length: groups }, (_, group) => gateway.reshard({ group, groups, to }));
					void Promise.allSettled(each).then((outcomes) => {
						refusal = outcomes.find(({ status }) => status === 'rejected') ?? refusal;
						if (asked === gateway) asked = undefined;
					});
					return false;
				},
				120_000,
			)
			.catch((error: unknown) => {
				throw new Error(`the last refusal: ${String((refusal as PromiseRejectedResult)?.reason)}`, { cause: error });
			});
	}

	/** Called when sessions that replace others are being written down the next time. */
	atRecord(act: () => void): void {
		this.#atRecord = act;
	}

	/** A process that is not there is not killed. */
	kill(victim: Victim): void {
		if (!this.#isManaged || (victim === 'worker' && this.#slots.length === 0)) return;
		this.#note(`kills the ${victim}`);
		if (victim === 'worker') this.#killWorker(this.random.of(this.#slots));
		else if (victim === 'gateway') this.#killGateway();
		else this.#killManager();
	}

	breakConnection(): void {
		if (!this.#gateway.isListening) return;
		this.#note('breaks a connection to Discord');
		this.#gateway.breakConnection();
	}

	loseSession(): void {
		if (!this.#gateway.isListening) return;
		this.#note('ends a session');
		this.#gateway.loseSession();
	}

	/** Resolves when the last message of every conversation was handled, whatever is missing before. */
	async lastHandled(): Promise<void> {
		const isMissing = ([conversation, last]: [string, number]) => !this.#handled.get(conversation)?.includes(last);
		const missing = () => [...this.discord.said].filter(isMissing);
		await this.time.until('the last messages', () => missing().length === 0, 60_000);
	}

	/** Conversations with a message behind a later one, whatever is missing. */
	get swaps(): string[] {
		return [...this.#handled].flatMap(([conversation, numbers]) => {
			const first = [...new Set(numbers)];
			return first.some((number, at) => number < (first[at - 1] ?? 0)) ? [conversation] : [];
		});
	}

	/** Resolves when everything that was written was handled. */
	async allHandled(): Promise<void> {
		await this.time
			.until('every message to be handled', () => this.#missing.length === 0, 60_000)
			.catch((error: unknown) => {
				throw new Error(`lost: ${this.#missing.join(', ')}`, { cause: error });
			});
	}

	/** Resolves when the state of every guild is as Discord has it. */
	async stateFollowed(): Promise<void> {
		const { guildIds } = this.discord;
		const wrong = () => guildIds.filter((id) => this.#gateway.nameOf(id) !== this.discord.nameOf(id));
		await this.time.until('the states of the guilds', () => wrong().length === 0, 30_000);
	}

	/** Messages that were handled more than once. */
	get repeated(): number {
		let repeated = 0;
		for (const numbers of this.#handled.values()) repeated += numbers.length - new Set(numbers).size;
		return repeated;
	}

	get handled(): number {
		let handled = 0;
		for (const numbers of this.#handled.values()) handled += new Set(numbers).size;
		return handled;
	}

	/** What was handled for the first time behind a later message of the conversation, and what arrived before its worker was ready. */
	get problems(): string[] {
		const problems = [...this.#early.slice(0, 3), ...this.#drifted.slice(0, 3)];
		for (const [conversation, numbers] of this.#handled) {
			const first = [...new Set(numbers)];
			const index = first.findIndex((number, at) => number !== at + 1);
			if (index >= 0)
				problems.push(`${conversation}: ${first.slice(Math.max(0, index - 2), index + 6).join(' ')} (${index + 1} was due)`);
		}
		return problems;
	}

	get #missing(): string[] {
		return [...this.discord.said].flatMap(([conversation, last]) => {
			const got = new Set(this.#handled.get(conversation));
			const missing = Array.from({ length: last }, (_, index) => index + 1).filter((number) => !got.has(number));
			return missing.length === 0 ? [] : [`${conversation}: ${missing.slice(0, 5).join(' ')}`];
		});
	}

	#startManager(): void {
		const manager = this.#manager;
		this.#isManaged = true;
		this.#lastIncarnation = 0;
		const gateway = this.#createGateway();
		this.#gateway = gateway;
		void gateway.start({ withWorkers: false }).then(() => this.#startWorkers(manager));
	}

	#createGateway(): SimulatedGateway {
		const note = (message: string) => this.#note(message);
		return new SimulatedGateway({
			time: this.time,
			discord: this.discord,
			random: this.random.fork(),
			content: this.#content,
			layout: { totalShards, sessions: configuredSessions },
			workers: this.#slots.map(({ worker, incarnation }) => ({
				incarnation,
				shardIds: worker.options.shardIds,
				isReady: worker.isReady,
			})),
			manager: String(this.#manager),
			onNotice: note,
			onPause: (pausedMs) => {
				this.#longestPauseMs = Math.max(this.#longestPauseMs, pausedMs);
			},
			onDrift: (drifted) => this.#drifted.push(...drifted),
			onWrite: (name) => {
				if (!name.endsWith('.sessions.json')) return;
				const act = this.#atRecord;
				this.#atRecord = undefined;
				act?.();
			},
		});
	}

	#startWorker(shardIds: readonly number[]): Slot {
		const manager = this.#manager;
		const incarnation = ++this.#lastIncarnation;
		const worker: SimulatedWorker = new SimulatedWorker({
			time: this.time,
			random: this.random.fork(),
			incarnation,
			shardIds,
			totalShards,
			// A worker of a manager that is gone does not know the paths of the next one's processes.
			connect: (of, events) =>
				manager === this.#manager && this.#gateway.isListening ? this.#gateway.accept(of, events) : undefined,
			onReady: () => this.time.setTimeout(() => this.#noteReady(worker), 2 + this.random.upTo(20)),
			onMessage: ({ conversation, number, isEarly }) => {
				if (isEarly) this.#early.push(`${conversation}: ${number} arrived before worker #${incarnation} was ready`);
				const numbers = this.#handled.get(conversation) ?? [];
				this.#handled.set(conversation, numbers);
				numbers.push(number);
				const writtenAtMs = this.#writtenAtMs.get(`${conversation} ${number}`) ?? this.time.monotonic();
				this.#longestWayMs = Math.max(this.#longestWayMs, this.time.monotonic() - writtenAtMs);
			},
		});
		this.#expect(worker, manager);
		return { worker, incarnation };
	}

	/** Until a gateway process has heard it; one that is started later knows it from its configuration. */
	#expect(worker: SimulatedWorker, manager: number): void {
		const { shardIds, incarnation } = worker.options;
		if (!worker.process.isAlive || manager !== this.#manager) return;
		if (this.#gateway.isListening) this.#gateway.expect(shardIds, incarnation);
		else this.time.setTimeout(() => this.#expect(worker, manager), 10);
	}

	/** Until a gateway process has heard it. */
	#noteReady(worker: SimulatedWorker): void {
		const { shardIds, incarnation } = worker.options;
		if (!worker.isReady) return;
		if (this.#gateway.isListening) this.#gateway.workerReady(shardIds, incarnation);
		else this.time.setTimeout(() => this.#noteReady(worker), 10);
	}

	#killWorker(slot: Slot): void {
		slot.worker.kill();
		const manager = this.#manager;
		this.time.setTimeout(() => {
			if (manager === this.#manager && this.#slots.includes(slot)) this.#replace(slot);
		}, 5 + this.random.upTo(300));
	}

	#replace(slot: Slot): void {
		this.#slots[this.#slots.indexOf(slot)] = this.#startWorker(slot.worker.options.shardIds);
	}

	#killGateway(): void {
		const killed = this.#gateway;
		killed.kill();
		const manager = this.#manager;
		this.time.setTimeout(() => {
			if (manager !== this.#manager || this.#gateway !== killed) return;
			this.#gateway = this.#createGateway();
			void this.#gateway.start({ withWorkers: true }).then(() => this.#startWorkers(manager));
		}, 50 + this.random.upTo(600));
	}

	#startWorkers(manager: number): void {
		if (manager === this.#manager && this.#slots.length === 0)
			this.#slots = slices.map((shardIds) => this.#startWorker(shardIds));
	}

	/** Its gateway process saves everything and ends, its workers end, and the next manager starts both again. */
	#killManager(): void {
		this.#manager++;
		this.#isManaged = false;
		const [gateway, slots] = [this.#gateway, this.#slots];
		this.#slots = [];
		this.time.setTimeout(() => gateway.process.isAlive && void gateway.stop(), this.random.upTo(50));
		for (const { worker } of slots) this.time.setTimeout(() => worker.kill(), this.random.upTo(400));
		const manager = this.#manager;
		this.time.setTimeout(() => manager === this.#manager && this.#startManager(), 20 + this.random.upTo(1500));
	}

	#note(message: string): void {
		this.story.push(`${(this.time.monotonic() / 1000).toFixed(3)} ${message}`);
	}
}
