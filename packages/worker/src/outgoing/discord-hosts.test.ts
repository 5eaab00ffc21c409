import { expect, it } from 'vitest';
import { isApiHost, isGatewayHost } from './discord-hosts.js';

it.each(['gateway.discord.gg', 'gateway-us-east1-b.discord.gg'])('takes %s for the gateway', (host) => {
	expect([isGatewayHost(host), isApiHost(host)]).toEqual([true, false]);
});

it.each(['discord.com', 'canary.discord.com', 'ptb.discord.com', 'discordapp.com'])('takes %s for the REST API', (host) => {
	expect([isGatewayHost(host), isApiHost(host)]).toEqual([false, true]);
});

it.each(['cdn.discordapp.com', 'media.discordapp.net', 'us-east.discord.media', 'discord.com.example', 'notdiscord.gg.example'])(
	'leaves %s alone',
	(host) => {
		expect([isGatewayHost(host), isApiHost(host)]).toEqual([false, false]);
	},
);
