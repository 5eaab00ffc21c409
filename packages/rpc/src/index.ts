export { isFrame } from './frames.js';
export { type IpcEnd, ipcPort } from './ipc-port.js';
export { memoryPortPair } from './memory-port.js';
export { Peer, type RequestOptions } from './peer.js';
export type { Settle } from './pending-calls.js';
export type { Port } from './port.js';
export type { MethodMap } from './schemas.js';
export { decodeValue } from './value-decoder.js';
export { encodeValue, PreparedValue } from './value-encoder.js';
