// Watches whether a bot outgrows its sessions with Discord while its fleet runs, reports it, and with `--reshard auto` reshards the fleet:
// when it is whole and quiet, inside the window, and Discord allows the session starts. What is advised and decided is in sizing.ts.
import { type Clock, every, type Layout, type ManagerStats, messageOf, ShardctlError, type SizingStats } from '@shardctl/core';
import type { ResolvedReshardOptions } from '../options/reshard-options.js';
import {
	type Advice,
	adviseSessions,
	countGuilds,
	type Decision,
	decideReshard,
	type FleetKind,
	guildLimit,
	remedyFor,
} from './sizing.js';

/**
 * Times, in identify windows of Discord: 15 s, 10 min, 1 min, 1 min, 1 h and a day. A simulator whose window is shorter has a shorter day as
 * well.
 */
const windows = { look: 3, ask: 120, askAfterBurst: 12, quiet: 12, afterFailure: 720, afterPerson: 17_280 };
/** A look reads the figures of the whole fleet, so it is not made more often, however short the window of a simulator is. */
const leastLookMs = 500;
/** This many guilds more than when Discord last answered, or this part of all if that is more, are a burst of joins. */
const burst = { guilds: 10, part: 0.01 };

export interface SizingWatchOptions {
	reshard: ResolvedReshardOptions;
	how: FleetKind;
	clock: Clock;
	windowMs: number;
	/** Of this machine; of the whole cluster where this node decides. */
	figures(): Promise<ManagerStats>;
	/** Undefined before the shards are planned. */
	layout(): Layout | undefined;
	/** Asks Discord unless its last answer is younger; never rejects. */
	refresh(options: { maxAgeMs: number }): Promise<void>;
	/** What Discord recommended last. */
	recommended(): number;
	/** When Discord recommended that; monotonic. */
	answeredAt(): number;
	/** Whether this manager decides: in a cluster one node does (default: it does). */
	decides?(): boolean;
	/** See `Reshards.reshard`. */
	start(sessions: number): Promise<unknown>;
	/** What is said has changed. */
	onChange(stats: SizingStats): void;
}

export class SizingWatch {
	readonly #options: SizingWatchOptions;
	#stats: SizingStats | undefined;
	#stop: () => void = () => {};
	#stopped = false;
	#looking = false;
	/** Monotonic; undefined while the fleet is not whole, or busy. */
	#quietSince: number | undefined;
	#held: { untilMs: number; why: string } | null = null;
	/** What was last reported as the reason. */
	#reportedHeld: object | null = null;
	/** At least this many guilds there were when Discord last answered. Until it answers again, more than a burst above that stays a burst. */
	#answered: { at: number; guilds: number } | undefined;
	/** All guilds at the last look. */
	#guilds = 0;

	constructor(options: SizingWatchOptions) {
		this.#options = options;
	}

	/** The fleet runs. */
	start(): void {
		const { reshard, clock } = this.#options;
		if (reshard.mode === 'off') return;
		const look = () => void this.#look().catch(() => {});
		look();
		this.#stop = every(clock, Math.max(leastLookMs, this.#ms('look')), look);
	}

	/** For good: a look that is under way ends without an effect. */
	stop(): void {
		this.#stopped = true;
		this.#stop();
	}

	/** Undefined with `--reshard off`, and before the first look. */
	stats(): SizingStats | undefined {
		return this.#stats;
	}

	/** A person has begun or ended a resharding: what they asked for is not changed automatically for a while. A refused call is no such thing. */
	notePerson(atMs = this.#options.clock.now()): void {
		this.#hold(atMs + this.#ms('afterPerson'), 'a person has resharded the fleet less than a day ago');
	}

	#ms(name: keyof typeof windows): number {
		return windows[name] * this.#options.windowMs;
	}

	/** One at a time; figures that cannot be had now are the next look's. */
	async #look(): Promise<void> {
		if (this.#looking) return;
		this.#looking = true;
		try {
			const layout = this.#options.layout();
			if (layout) await this.#lookAt(await this.#options.figures(), layout);
		} catch {
			this.#quietSince = undefined;
		} finally {
			this.#looking = false;
		}
	}

	async #lookAt(figures: ManagerStats, layout: Layout): Promise<void> {
		const { refresh, recommended, reshard, how, clock, start } = this.#options;
		if (this.#stopped) return;
		const { fullest, all } = countGuilds(figures, layout);
		await refresh({ maxAgeMs: this.#ms(this.#isBurst(all) ? 'askAfterBurst' : 'ask') });
		if (this.#stopped) return;
		this.#noteAnswer(all);
		this.#guilds = all;
		const advice = adviseSessions({ layout, recommended: recommended(), guilds: fullest });
		const decision = this.#decide(figures, advice);
		this.#report({
			sessions: layout.sessions,
			recommended: recommended(),
			guilds: fullest,
			guildLimit,
			outgrown: advice !== null,
			advised: advice?.sessions ?? null,
			message: advice?.message ?? null,
			remedy: advice && remedyFor(advice, { layout, how }),
			automatic: reshard.mode === 'auto',
			waitsFor: decision.do === 'wait' ? decision.why : null,
			nextTryAt: decision.do === 'wait' ? decision.until : null,
		});
		if (decision.do !== 'reshard') return;
		// It ends in its own time; until then the fleet is busy with it.
		start(decision.sessions).catch((error: unknown) => {
			const resetAt = ShardctlError.is(error) && error.code === 'IDENTIFY_BUDGET' ? error.details.resetAt : undefined;
			const untilMs = typeof resetAt === 'number' ? resetAt : clock.now() + this.#ms('afterFailure');
			this.#hold(untilMs, messageOf(error));
		});
		this.#quietSince = clock.monotonic();
	}

	#decide(figures: ManagerStats, advice: Advice | null): Decision {
		const { reshard, clock, decides } = this.#options;
		if (reshard.mode !== 'auto' || decides?.() === false) return { do: 'nothing' };
		const busy = busyWith(figures);
		if (busy === undefined) this.#quietSince ??= clock.monotonic();
		else this.#quietSince = undefined;
		return decideReshard({
			advice,
			nowMs: clock.now(),
			window: reshard.window,
			busy,
			quietForMs: this.#quietSince === undefined ? 0 : clock.monotonic() - this.#quietSince,
			quietMs: this.#ms('quiet'),
			held: this.#held,
		});
	}

	#isBurst(guilds: number): boolean {
		if (!this.#answered) return false;
		// Discord may have answered someone else since the last look; which of the joins it knew is not known.
		this.#noteAnswer(this.#guilds);
		const before = this.#answered.guilds;
		return guilds - before >= Math.max(burst.guilds, burst.part * before);
	}

	#noteAnswer(guilds: number): void {
		const at = this.#options.answeredAt();
		if (at !== this.#answered?.at) this.#answered = { at, guilds };
	}

	/** Never shortens a hold. */
	#hold(untilMs: number, why: string): void {
		if (!this.#held || untilMs > this.#held.untilMs) this.#held = { untilMs, why };
	}

	#report(stats: SizingStats): void {
		const before = this.#stats;
		this.#stats = stats;
		// What it is busy with is the news of others.
		const isRefused = this.#held !== null && this.#held !== this.#reportedHeld && stats.waitsFor === this.#held.why;
		if (isRefused) this.#reportedHeld = this.#held;
		const isNews = before ? before.outgrown !== stats.outgrown || before.advised !== stats.advised : stats.outgrown;
		if (isNews || isRefused) this.#options.onChange({ ...stats });
	}
}

/** What the fleet is not to be disturbed in; undefined while it is whole and nothing runs. */
function busyWith({ health, deploy, reshard }: ManagerStats): string | undefined {
	if (reshard?.state === 'running') return 'the fleet is being resharded';
	if (deploy && !deployEnds.has(deploy.state)) return 'a deploy runs';
	const [cause] = health.causes;
	return cause && `the fleet is not whole: ${cause.message}`;
}

const deployEnds: ReadonlySet<string> = new Set(['deployed', 'failed', 'called-off']);
