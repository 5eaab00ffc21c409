export type { ConnectionInfo, GatewayBackend, IdentifyAnswer } from './backend.js';
export type {
	ChannelInfoPayload,
	ClientRequest,
	GuildMembersPayload,
	IdentifyPayload,
	PresencePayload,
	SoundboardSoundsPayload,
	VoiceStatePayload,
} from './client-payloads.js';
export type { TransportCompression } from './compression/codec.js';
export { type ConnectionRules, GatewayConnection } from './connection.js';
export { type Dispatch, EncodedDispatch, RebuiltDispatch } from './dispatch.js';
export { encodeControl, heartbeatAckFrame, maxClientFrameBytes, reconnectFrame } from './frame.js';
export { type ConnectionLayer, defaultRules, GatewayServer, type GatewayServerOptions } from './gateway-server.js';
export { intentsForEvent } from './intents.js';
export { parseJsonKeepingIds } from './json.js';
export type { GatewayObservation, GatewayObserver } from './observer.js';
export { type Op, op } from './opcodes.js';
export { RateWindow } from './rate-window.js';
export { defaultReplayLimits, type ReplayLimits } from './replay-buffer.js';
export { GatewaySession, type SessionCarrier, type SessionOptions } from './session.js';
export { type SessionEnd, SessionStore } from './session-store.js';
export type { FrameReceiver, FrameTransport } from './transport.js';
