export type { ConnectionInfo, GatewayBackend, IdentifyAnswer } from './backend.js';
export {
	type ChannelInfoPayload,
	type ClientRequest,
	type GuildMembersPayload,
	type IdentifyPayload,
	type PresencePayload,
	parseClientOperation,
	type VoiceStatePayload,
} from './client-payloads.js';
export { synchronousInflate } from './compression/synchronous-zlib.js';
export { GatewayConnection } from './connection.js';
export { type Dispatch, EncodedDispatch, RebuiltDispatch } from './dispatch.js';
export { heartbeatAckFrame, reconnectFrame } from './frame.js';
export { type ConnectionLayer, defaultRules, GatewayServer } from './gateway-server.js';
export { intentsForEvent } from './intents.js';
export { parseJsonKeepingIds } from './json.js';
export type { GatewayObservation } from './observer.js';
export { op } from './opcodes.js';
export { RateWindow } from './rate-window.js';
export { GatewaySession, type SessionCarrier, type SessionOptions } from './session.js';
export { SessionStore } from './session-store.js';
export type { FrameReceiver, FrameTransport } from './transport.js';
