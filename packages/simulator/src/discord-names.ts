// Names of Discord's own servers. A client whose connections to Discord are led here, such as one in a bundle that `shardctl start
// --simulate` cannot hook, addresses the simulator by them.

const api = ['discord.com', 'canary.discord.com', 'ptb.discord.com', 'discordapp.com'];
const gateway = 'gateway.discord.gg';

/** As values of the Host header. */
export const discordNames: readonly string[] = [...api, gateway];

/** Where a client that takes the simulator for Discord finds the gateway. */
export const discordGatewayUrl = `wss://${gateway}`;

export function isDiscordName(host: string): boolean {
	return discordNames.includes(host.toLowerCase().replace(/:\d+$/, ''));
}
