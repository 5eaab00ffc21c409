// The server's side of one gateway connection, as a state machine over frames. It knows no sockets and no world.
//
//   awaiting ──IDENTIFY──▶ identifying ──accepted──▶ live        awaiting: HELLO sent, no session; op 9 leads back here
//      │  ▲                    │                      │          identifying: the backend decides; only heartbeats are served
//      │  └──────op 9──────────┴─────────op 9─────────┤          live: this connection carries `session`
//      └──RESUME──▶ live                              │          closed: nothing is read or sent any more; entered once
//   any ──close by either side──▶ closed ◀────────────┘
import { type Clock, type CloseCode, clientCloseEndsSession, closeCodeMeaning } from '@shardctl/core';
import type { ConnectionInfo, GatewayBackend, IdentifyAnswer } from './backend.js';
import {
	type ClientOperation,
	type ClientRequest,
	type IdentifyPayload,
	parseClientOperation,
	type ResumePayload,
} from './client-payloads.js';

import { EncodedDispatch } from './dispatch.js';
import { decodeClientFrame, encodeControl, heartbeatAckFrame, heartbeatRequestFrame, reconnectFrame } from './frame.js';
import { HeartbeatSupervisor } from './heartbeat.js';
import { intentsCloseCode } from './intents.js';
import type { GatewayObserver } from './observer.js';
import { op } from './opcodes.js';
import { RateWindow } from './rate-window.js';
import type { GatewaySession, SessionCarrier } from './session.js';
import type { SessionStore } from './session-store.js';
import type { FrameReceiver, FrameTransport } from './transport.js';

type State =
	| { name: 'awaiting' }
	| { name: 'identifying'; attempt: symbol }
	| { name: 'live'; session: GatewaySession }
	| { name: 'closed' };

export interface ConnectionRules {
	/** Sent to the client in HELLO, in ms. */
	heartbeatIntervalMs: number;
	/** How long a client may stay silent before it is closed, in ms. */
	heartbeatTimeoutMs: number;
	/** Silence in ms after which the client is asked for a heartbeat (op 1); `Infinity` leaves it to its own pace. */
	heartbeatAskAfterMs: number;
	/** The code of that close. */
	heartbeatCloseCode: CloseCode;
	/** Client frames per window, heartbeats included; one more closes with 4008. */
	sendLimit: { limit: number; windowMs: number };
	/** Presence updates per window; what is more is dropped. */
	presenceLimit: { limit: number; windowMs: number };
}

export interface ConnectionContext {
	clock: Clock;
	backend: GatewayBackend;
	sessions: SessionStore;
	rules: ConnectionRules;
	observe: GatewayObserver;
	/** Called once, when the connection is closed for whatever reason. */
	onClosed: (connection: GatewayConnection) => void;
	/** Turns payload compression (`compress` of IDENTIFY) on for this connection. */
	enablePayloadCompression: () => void;
}

export class GatewayConnection implements FrameReceiver, SessionCarrier {
	readonly info: ConnectionInfo;
	readonly #transport: FrameTransport;
	readonly #context: ConnectionContext;
	readonly #heartbeat: HeartbeatSupervisor;
	readonly #sends: RateWindow;
	readonly #presences: RateWindow;
	#state: State = { name: 'awaiting' };
	#lastHeartbeat: { seq: number | null; atMs: number } | undefined;

	constructor(info: ConnectionInfo, transport: FrameTransport, context: ConnectionContext) {
		this.info = info;
		this.#transport = transport;
		this.#context = context;
		const { clock, rules } = context;
		const startedAtMs = clock.monotonic();
		this.#sends = new RateWindow({ ...rules.sendLimit, startedAtMs });
		this.#presences = new RateWindow({ ...rules.presenceLimit, startedAtMs });
		this.#heartbeat = new HeartbeatSupervisor({
			clock,
			timeoutMs: rules.heartbeatTimeoutMs,
			onTimeout: () => this.close(rules.heartbeatCloseCode, 'no heartbeat'),
			askAfterMs: rules.heartbeatAskAfterMs,
			onAsk: () => this.requestHeartbeat(),
		});
		this.sendFrame(encodeControl(op.hello, { heartbeat_interval: rules.heartbeatIntervalMs, _trace: [] }));
	}

	get id(): number {
		return this.info.id;
	}

	get state(): State['name'] {
		return this.#state.name;
	}

	get session(): GatewaySession | undefined {
		return this.#state.name === 'live' ? this.#state.session : undefined;
	}

	/** The last heartbeat of the client: the newest event that it says it has. */
	get lastHeartbeat(): { seq: number | null; atMs: number } | undefined {
		return this.#lastHeartbeat;
	}

	sendFrame(frame: string): void {
		if (this.#state.name !== 'closed') this.#transport.send(frame);
	}

	/** Asks the client for a heartbeat at once (op 1). */
	requestHeartbeat(): void {
		this.sendFrame(heartbeatRequestFrame);
	}

	/** Asks the client to come back and resume (op 7). */
	requestReconnect(): void {
		this.sendFrame(reconnectFrame);
		this.#context.observe({ type: 'reconnect', connectionId: this.id });
	}

	/** Reports to the client that its session is not valid (op 9). Not resumable: the session ends. Either way this connection has none now. */
	invalidateSession({ resumable }: { resumable: boolean }): void {
		if (this.#state.name === 'closed') return;
		const session = this.session;
		this.#state = { name: 'awaiting' };
		this.#sendInvalidSession(resumable);
		if (!session) return;
		if (resumable) this.#context.sessions.detach(session, this);
		else this.#context.sessions.end(session, 'invalidated');
	}

	/** Closes with a code; what becomes of the session follows from the table of close codes. */
	close(code: number, detail = ''): void {
		const { reason } = closeCodeMeaning(code);
		if (this.#finish({ by: 'server', code, detail })) this.#transport.close(code, reason);
	}

	/** Drops the connection without a word; the session can be resumed. */
	terminate(detail = 'dropped'): void {
		if (this.#finish({ by: 'server', code: 1006, detail })) this.#transport.terminate();
	}

	sessionLost(reason: 'replaced' | 'ended'): void {
		if (this.#state.name !== 'live') return;
		if (reason === 'ended') this.invalidateSession({ resumable: false });
		else this.close(4000, 'the session was resumed elsewhere');
	}

	closed(code: number): void {
		this.#finish({ by: 'client', code, detail: '' });
	}

	receive(data: Uint8Array, isBinary: boolean): void {
		if (this.#state.name === 'closed') return;
		const read = this.#read(data, isBinary);
		if ('close' in read) this.close(read.close, read.detail);
		else this.#handle(read.operation);
	}

	#read(data: Uint8Array, isBinary: boolean): { operation: ClientOperation } | { close: CloseCode; detail: string } {
		if (!this.#sends.take(this.#context.clock.monotonic())) return { close: 4008, detail: 'too many frames' };
		const frame = decodeClientFrame(data, isBinary);
		if ('close' in frame) return frame;
		const parsed = parseClientOperation(frame.op, frame.d);
		return 'problem' in parsed ? { close: this.#wrongPayloadCode(frame.op), detail: parsed.problem } : parsed;
	}

	// An operation that may not come at all now is refused for that, whatever it carries.
	#wrongPayloadCode(opcode: number): CloseCode {
		const opens = opcode === op.heartbeat || opcode === op.identify || opcode === op.resume;
		return this.#state.name === 'live' || opens ? 4001 : 4003;
	}

	#handle(operation: ClientOperation): void {
		switch (operation.op) {
			case op.heartbeat:
				this.#heartbeat.beat();
				this.#lastHeartbeat = { seq: operation.d ?? null, atMs: this.#context.clock.monotonic() };
				this.sendFrame(heartbeatAckFrame);
				if (this.#state.name === 'live') this.#context.backend.heartbeat?.(this.#state.session, operation.d ?? null);
				break;
			case op.identify:
				if (this.#state.name === 'awaiting') this.#identify(operation.d);
				else this.close(4005, 'IDENTIFY on an identified connection');
				break;
			case op.resume:
				if (this.#state.name === 'awaiting') this.#resume(operation.d);
				else this.close(4005, 'RESUME on an identified connection');
				break;
			case op.presenceUpdate:
			case op.voiceStateUpdate:
			case op.requestGuildMembers:
			case op.requestSoundboardSounds:
			case op.requestChannelInfo:
				this.#request(operation);
				break;
		}
	}

	#request(request: ClientRequest): void {
		if (this.#state.name !== 'live') {
			this.close(4003, `op ${request.op} before a session`);
			return;
		}
		if (request.op === op.presenceUpdate && !this.#presences.take(this.#context.clock.monotonic())) return;
		this.#context.backend.request(this.#state.session, request);
	}

	#identify(identify: IdentifyPayload): void {
		const attempt = Symbol();
		this.#state = { name: 'identifying', attempt };
		const settle = (decided: IdentifyAnswer) => {
			if (this.#state.name === 'identifying' && this.#state.attempt === attempt) this.#answerIdentify(identify, decided);
		};
		const answer = this.#identifyRefusal(identify) ?? this.#context.backend.identify(identify, this.info);
		if (answer instanceof Promise) {
			answer.then(settle, (error: unknown) => {
				settle({ accept: false, close: 4000, detail: `the backend failed: ${String(error)}` });
			});
		} else settle(answer);
	}

	#identifyRefusal(identify: IdentifyPayload): IdentifyAnswer | undefined {
		const { backend } = this.#context;
		if (!backend.authenticate(identify.token)) return { accept: false, close: 4004, detail: 'wrong token' };
		if (identify.shard) {
			const [id, count] = identify.shard;
			if (count < 1 || id < 0 || id >= count) return { accept: false, close: 4010, detail: `shard [${id}, ${count}]` };
		}
		const intentsCode = intentsCloseCode(identify.intents, backend.grantedIntents());
		return intentsCode && { accept: false, close: intentsCode, detail: `intents ${identify.intents}` };
	}

	#answerIdentify(identify: IdentifyPayload, answer: IdentifyAnswer): void {
		const { sessions, backend, observe } = this.#context;
		const fact = {
			type: 'identify',
			connectionId: this.id,
			shard: identify.shard ?? ([0, 1] as const),
			intents: identify.intents,
		} as const;
		if (answer.accept) {
			const session = sessions.create(identify);
			observe({ ...fact, outcome: 'accepted', sessionId: session.id });
			if (identify.compress && this.info.compression === 'none') this.#context.enablePayloadCompression();
			this.#state = { name: 'live', session };
			sessions.attach(session, this);
			backend.sessionStarted(session, this.info);
			return;
		}
		const detail = answer.detail && { detail: answer.detail };
		if ('close' in answer) {
			observe({ ...fact, outcome: 'closed', ...detail });
			this.close(answer.close, answer.detail);
			return;
		}
		observe({ ...fact, outcome: 'refused', ...detail });
		this.#state = { name: 'awaiting' };
		this.#sendInvalidSession(answer.invalidSession.resumable);
	}

	#resume({ token, session_id: sessionId, seq }: ResumePayload): void {
		const { backend, sessions, observe } = this.#context;
		const session = sessions.get(sessionId);
		const fact = { type: 'resume', connectionId: this.id, sessionId, shard: session?.slot ?? null, seq } as const;
		const refusal = this.#resumeRefusal(token, session, seq);
		if (!session || refusal) {
			const { close, detail } = refusal ?? { detail: 'unknown or expired session' };
			observe({ ...fact, outcome: close ? 'closed' : 'refused', detail });
			if (close !== 4004 && session) sessions.end(session, 'invalidated');
			if (close) this.close(close, detail);
			else this.#sendInvalidSession(false);
			return;
		}
		this.#state = { name: 'live', session };
		sessions.attach(session, this);
		const replayed = session.replayAfter(seq);
		session.dispatchUnrecorded(resumed);
		observe({ ...fact, outcome: 'accepted', replayed });
		backend.sessionResumed?.(session, this.info);
	}

	/** Why a resume cannot be: with a close code, or with op 9 where there is none. */
	#resumeRefusal(
		token: string,
		session: GatewaySession | undefined,
		seq: number,
	): { close?: CloseCode; detail: string } | undefined {
		if (!this.#context.backend.authenticate(token)) return { close: 4004, detail: 'wrong token' };
		const possible = session?.canResumeFrom(seq);
		if (possible === 'ahead') return { close: 4007, detail: `seq ${seq} is ahead of ${session?.seq}` };
		return possible === 'too old' ? { detail: 'seq is older than what is kept' } : undefined;
	}

	#sendInvalidSession(resumable: boolean): void {
		this.sendFrame(encodeControl(op.invalidSession, resumable));
		this.#context.observe({ type: 'invalid-session', connectionId: this.id, resumable });
	}

	/** Enters `closed`, once; decides what becomes of the session. */
	#finish({ by, code, detail }: { by: 'client' | 'server'; code: number; detail: string }): boolean {
		if (this.#state.name === 'closed') return false;
		const session = this.session;
		this.#state = { name: 'closed' };
		this.#heartbeat.stop();
		this.#context.observe({
			type: 'close',
			connectionId: this.id,
			by,
			code,
			detail,
			shard: session?.slot ?? null,
			sessionId: session?.id ?? null,
		});
		// A session that moved to another connection is not ours to end.
		if (session && session.carrier === this) {
			const ends = by === 'client' ? clientCloseEndsSession(code) : !closeCodeMeaning(code).keepsSession;
			if (ends) this.#context.sessions.end(session, by === 'client' ? 'client closed' : 'server closed');
			else this.#context.sessions.detach(session, this);
		}
		this.#context.onClosed(this);
		return true;
	}
}

const resumed = EncodedDispatch.of('RESUMED', { _trace: [] });
