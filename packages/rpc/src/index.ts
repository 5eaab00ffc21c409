export { decodeThrown, encodeThrown } from './error-codec.js';
export { isFrame } from './frames.js';
export type { HandlerContext } from './handler-context.js';
export { type IpcEnd, ipcPort } from './ipc-port.js';
export { defaultPeerLimits, type PeerLimits } from './limits.js';
export { type MemoryPort, type MemoryPortOptions, memoryPortPair } from './memory-port.js';
export { type MethodMap, Peer, type PeerCounters, type PeerOptions, type RequestOptions } from './peer.js';
export type { Port } from './port.js';
export { decodeValue, type EncodedValue, encodeValue, type ValueLimits } from './value-codec.js';
