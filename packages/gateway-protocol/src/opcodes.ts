// The numbers of the gateway's operations and what crosses the wire under each. Nothing here acts.
// Discord: Opcodes and Status Codes, "Gateway Opcodes".

export const op = {
	dispatch: 0,
	heartbeat: 1,
	identify: 2,
	presenceUpdate: 3,
	voiceStateUpdate: 4,
	resume: 6,
	reconnect: 7,
	requestGuildMembers: 8,
	invalidSession: 9,
	hello: 10,
	heartbeatAck: 11,
	requestSoundboardSounds: 31,
	requestChannelInfo: 43,
} as const;

/** The operations that a client may send. */
export const clientOps: ReadonlySet<number> = new Set([
	op.heartbeat,
	op.identify,
	op.presenceUpdate,
	op.voiceStateUpdate,
	op.resume,
	op.requestGuildMembers,
	op.requestSoundboardSounds,
	op.requestChannelInfo,
]);
