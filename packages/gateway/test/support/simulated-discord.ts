// Discord in simulated time: sessions of any count side by side, each with its own numbers and its own delay, which can be resumed; and a
// gateway process's side of one. Its events are numbered messages, guild by guild, and direct messages.
import type { Clock } from '@shardctl/core';
import type { Upstream } from '../../src/session/resident-session.js';
import type { Dispatch, RawObject } from '../../src/state/raw.js';
import type { SavedSession, SessionTerms, UpstreamEvents } from '../../src/upstream/upstream-shard.js';
import type { Random } from './random.js';
import { SimulatedLine, type SimulatedProcess, type SimulatedTime } from './simulated-time.js';

/** The conversation of direct messages, which belongs to no guild. */
export const direct = 'direct';

interface DiscordSession {
	readonly id: string;
	readonly shard: number;
	readonly of: number;
	/** In order; the number of an event is its place here. */
	readonly log: Dispatch[];
	/** Guilds whose GUILD_CREATE did not go out yet. */
	readonly pending: Set<string>;
	connection: DiscordConnection | null;
	isOver: boolean;
}

/** A gateway process's end of a connection. */
interface DiscordConnection {
	readonly line: SimulatedLine;
	receive(dispatch: Dispatch, seq: number): void;
	resumed(): void;
	closed(): void;
}

export class SimulatedDiscord {
	readonly guildIds: readonly string[];
	/** Identifies so far. */
	identifies = 0;
	readonly #time: SimulatedTime;
	readonly #random: Random;
	readonly #sessions = new Map<string, DiscordSession>();
	/** How late events are on the sessions of a count. */
	readonly #lateMs = new Map<number, number>();
	readonly #said = new Map<string, number>();
	readonly #names = new Map<string, string>();
	#lastId = 0;

	constructor({ time, random, guilds }: { time: SimulatedTime; random: Random; guilds: number }) {
		this.#time = time;
		this.#random = random;
		this.guildIds = Array.from({ length: guilds }, (_, index) => String(BigInt(index + guilds) << 22n));
	}

	/** Conversation → the number of its last message. */
	get said(): ReadonlyMap<string, number> {
		return this.#said;
	}

	late(of: number, ms: number): void {
		this.#lateMs.set(of, ms);
	}

	/** Somebody writes the next message. */
	say(conversation: string): void {
		const number = (this.#said.get(conversation) ?? 0) + 1;
		this.#said.set(conversation, number);
		const guild = conversation === direct ? {} : { guild_id: conversation };
		this.#emit({
			t: 'MESSAGE_CREATE',
			d: { id: String(++this.#lastId), content: String(number), author: { id: '2' }, ...guild },
		});
	}

	/** A guild gets another name. */
	rename(guildId: string): void {
		const name = `guild ${++this.#lastId}`;
		this.#names.set(guildId, name);
		this.#emit({ t: 'GUILD_UPDATE', d: { id: guildId, guild_id: guildId, name } });
	}

	/** The present name of a guild. */
	nameOf(guildId: string): string {
		return this.#names.get(guildId) ?? 'guild';
	}

	identify(shard: number, of: number, connection: DiscordConnection): string {
		this.identifies++;
		const id = `session ${this.identifies}: ${shard} of ${of}`;
		const guilds = this.guildIds.filter((guildId) => isOn(guildId, shard, of));
		const session: DiscordSession = { id, shard, of, log: [], pending: new Set(guilds), connection, isOver: false };
		this.#sessions.set(id, session);
		const ready = {
			v: 10,
			session_id: id,
			user: { id: '9' },
			guilds: guilds.map((guildId) => ({ id: guildId, unavailable: true })),
		};
		this.#send(session, { t: 'READY', d: ready });
		for (const guildId of guilds) {
			this.#time.setTimeout(() => this.#begin(session, guildId), this.#random.upTo(150));
		}
		return id;
	}

	/** Repeats what is behind this number. False where the session is over. */
	resume(id: string, seq: number, connection: DiscordConnection): boolean {
		const session = this.#sessions.get(id);
		if (!session || session.isOver || seq > session.log.length) return false;
		const before = session.connection;
		session.connection = connection;
		if (before && before !== connection) before.closed();
		for (let at = seq; at < session.log.length; at++) this.#pass(session, at + 1);
		connection.line.add(0, () => connection.resumed());
		return true;
	}

	disconnect(id: string, connection: DiscordConnection): void {
		const session = this.#sessions.get(id);
		if (session?.connection === connection) session.connection = null;
	}

	end(id: string): void {
		const session = this.#sessions.get(id);
		if (!session) return;
		session.isOver = true;
		session.connection = null;
	}

	#emit(dispatch: Dispatch): void {
		const guildId = (dispatch.d as RawObject).guild_id as string | undefined;
		for (const session of this.#sessions.values()) {
			if (session.isOver || !(guildId === undefined ? session.shard === 0 : isOn(guildId, session.shard, session.of))) continue;
			if (guildId !== undefined) this.#begin(session, guildId);
			this.#send(session, dispatch);
		}
	}

	#begin(session: DiscordSession, guildId: string): void {
		if (session.isOver || !session.pending.delete(guildId)) return;
		const guild = {
			id: guildId,
			name: this.nameOf(guildId),
			member_count: 1,
			channels: [],
			members: [],
			roles: [],
			threads: [],
			voice_states: [],
		};
		this.#send(session, { t: 'GUILD_CREATE', d: guild });
	}

	#send(session: DiscordSession, dispatch: Dispatch): void {
		session.log.push(dispatch);
		this.#pass(session, session.log.length);
	}

	#pass(session: DiscordSession, seq: number): void {
		const { connection } = session;
		const lateMs = (this.#lateMs.get(session.of) ?? 0) + 2 + this.#random.upTo(30);
		const dispatch = session.log[seq - 1] as Dispatch;
		connection?.line.add(lateMs, () => {
			if (session.connection === connection) connection.receive(dispatch, seq);
		});
	}
}

function isOn(guildId: string, shard: number, of: number): boolean {
	return Number((BigInt(guildId) >> 22n) % BigInt(of)) === shard;
}

export interface SimulatedUpstreamOptions {
	discord: SimulatedDiscord;
	process: SimulatedProcess;
	random: Random;
	shard: number;
	of: number;
	events: UpstreamEvents;
}

/** The connections of one session, as a gateway process has them. */
export class SimulatedUpstream implements Upstream {
	readonly refusedWith = undefined;
	readonly connection = { since: null, tries: 0, nextTryAt: null, lastClose: null, lastEventAt: null };
	readonly requests = { forget: () => {}, flush: () => {}, waiting: 0, dropped: 0, takeAll: () => [] };
	terms: SessionTerms | undefined;
	status: 'idle' | 'connecting' | 'resuming' | 'ready' = 'idle';
	readonly #options: SimulatedUpstreamOptions;
	readonly #clock: Clock;
	/** Known from READY on. */
	#sessionId: string | null = null;
	/** Of the connection. */
	#openId = '';
	#seq = 0;
	#connection: DiscordConnection | null = null;
	#isStopped = false;

	constructor(options: SimulatedUpstreamOptions) {
		this.#options = options;
		this.#clock = options.process.clock;
	}

	get saved(): SavedSession | null {
		if (this.#sessionId === null || !this.terms) return null;
		return { sessionId: this.#sessionId, resumeUrl: 'wss://discord.invalid', terms: this.terms };
	}

	missing(intents: number): number {
		return intents & ~(this.terms?.intents ?? intents);
	}

	start(terms: SessionTerms): void {
		if (this.status !== 'idle') return;
		this.terms = terms;
		this.#identify();
	}

	resume({ sessionId, terms }: SavedSession, seq: number): void {
		this.terms = terms;
		this.#sessionId = sessionId;
		this.#seq = seq;
		this.#resume();
	}

	request(): void {}
	showPresence(): void {}
	approach(): void {}
	cancelRenewal(): void {}
	stopReading(): void {}
	continueReading(): void {}
	renew(): Promise<'cancelled'> {
		return Promise.resolve('cancelled');
	}

	async stop({ keepSession }: { keepSession: boolean }): Promise<void> {
		this.#isStopped = true;
		if (!this.#connection) return;
		const [id, connection] = [this.#openId, this.#connection];
		this.#options.discord.disconnect(id, connection);
		await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, 1 + this.#options.random.upTo(30)));
		if (!keepSession) this.#options.discord.end(id);
	}

	/** The connection breaks; Discord keeps the session. */
	breakConnection(): void {
		const connection = this.#connection;
		if (this.#sessionId === null || !connection || this.#isStopped) return;
		this.#options.discord.disconnect(this.#sessionId, connection);
		this.#closed(connection);
	}

	/** Discord ends the session, and the connection with it. */
	loseSession(): void {
		if (this.#sessionId !== null) this.#options.discord.end(this.#sessionId);
		this.breakConnection();
	}

	#identify(): void {
		this.status = 'connecting';
		const { discord, random, shard, of } = this.#options;
		this.#clock.setTimeout(() => {
			if (this.#isStopped) return;
			this.#connection = this.#open();
			this.#openId = discord.identify(shard, of, this.#connection);
		}, 20 + random.upTo(300));
	}

	#resume(): void {
		this.status = 'resuming';
		const { discord, random, events } = this.#options;
		this.#clock.setTimeout(() => {
			if (this.#isStopped) return;
			this.#connection = this.#open();
			this.#openId = this.#sessionId as string;
			if (discord.resume(this.#openId, this.#seq, this.#connection)) return;
			this.#sessionId = null;
			events.onSessionLost();
			this.#identify();
		}, 20 + random.upTo(200));
	}

	#open(): DiscordConnection {
		const { events, process } = this.#options;
		const isCurrent = () => process.isAlive && !this.#isStopped && this.#connection === connection;
		const connection: DiscordConnection = {
			line: new SimulatedLine(this.#clock),
			receive: (dispatch, seq) => {
				if (!isCurrent()) return;
				this.#seq = seq;
				if (dispatch.t === 'READY') {
					this.status = 'ready';
					this.#sessionId = this.#openId;
				}
				events.onDispatch(dispatch, seq);
				if (dispatch.t === 'READY') events.onReady(this.terms as SessionTerms);
			},
			resumed: () => {
				if (!isCurrent()) return;
				this.status = 'ready';
				events.onResumed();
			},
			closed: () => this.#closed(connection),
		};
		return connection;
	}

	#closed(connection: DiscordConnection): void {
		if (!this.#options.process.isAlive || this.#isStopped || this.#connection !== connection) return;
		this.#connection = null;
		this.#options.events.onClosed({ code: 1006, reason: '' });
		this.#resume();
	}
}
