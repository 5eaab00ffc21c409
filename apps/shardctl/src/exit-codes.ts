// The exit status of every way a command can end, as one table.
import { type ErrorCode, ShardctlError } from '@shardctl/core';

export const exitCodes = {
	fine: 0,
	failed: 1,
	wrongUsage: 2,
	noManager: 3,
	discordRefused: 4,
	allCrashLooped: 5,
} as const;

const byErrorCode: Partial<Record<ErrorCode, number>> = {
	OPTIONS_INVALID: exitCodes.wrongUsage,
	BOT_FILE_INVALID: exitCodes.wrongUsage,
	TOKEN_MISSING: exitCodes.wrongUsage,
	MANAGER_NOT_RUNNING: exitCodes.noManager,
	NODE_NOT_FOUND: exitCodes.wrongUsage,
	NOT_A_CLUSTER: exitCodes.wrongUsage,
	RESHARD_COUNT: exitCodes.wrongUsage,
	RESHARD_UNSUPPORTED: exitCodes.wrongUsage,
	TOKEN_INVALID: exitCodes.discordRefused,
	DISCORD_FATAL: exitCodes.discordRefused,
	WORKERS_FAILED: exitCodes.allCrashLooped,
};

/** The exit status for what a command threw. */
export function exitCodeOf(thrown: unknown): number {
	return (ShardctlError.is(thrown) ? byErrorCode[thrown.code] : undefined) ?? exitCodes.failed;
}
