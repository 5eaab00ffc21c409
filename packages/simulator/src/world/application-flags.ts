// The flags of the application that show which privileged intents it was granted. Discord: Application, "Application Flags".
import { privilegedIntents } from '@shardctl/core';

export function applicationFlagsFor(grantedIntents: number): number {
	// The first flag of each pair: the application is verified for more than 100 guilds.
	return privilegedIntents.reduce((all, { bit, flags }) => ((grantedIntents & bit) === 0 ? all : all | (flags & -flags)), 0);
}
