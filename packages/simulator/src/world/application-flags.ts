// The flags of the application that tell which privileged intents it was granted. Discord: Application, "Application Flags".
import { intentBits } from '@shardctl/gateway-protocol';

const flags = [
	[intentBits.GUILD_PRESENCES, 1 << 12],
	[intentBits.GUILD_MEMBERS, 1 << 14],
	[intentBits.MESSAGE_CONTENT, 1 << 18],
] as const;

export function applicationFlagsFor(grantedIntents: number): number {
	return flags.reduce((all, [intent, flag]) => ((grantedIntents & intent) === 0 ? all : all | flag), 0);
}
