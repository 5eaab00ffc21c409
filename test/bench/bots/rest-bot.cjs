// Sends as many requests a second as it is asked to, to several routes, counts those that were answered, and measures interaction callbacks.
const { Client, GatewayIntentBits, Routes } = require('discord.js');

const client = new Client({ intents: [GatewayIntentBits.Guilds] });
client.done = 0;
client.failures = [];
client.callbacks = [];

client.fire = (perSecond) => {
	const guilds = [...client.guilds.cache.values()].slice(0, 4);
	const routes = guilds.flatMap(({ id, channels }) => [
		Routes.guild(id),
		Routes.guildRoles(id),
		Routes.channel(channels.cache.find((channel) => channel.isTextBased()).id),
	]);
	let n = 0;
	setInterval(() => {
		client.rest.get(routes[n++ % routes.length]).then(
			() => client.done++,
			(error) => client.failures.push(String(error)),
		);
	}, 1000 / perSecond);
	const callBack = async () => {
		const since = performance.now();
		// The simulator answers 404 for an interaction that it does not know; how long that takes is what counts.
		const callback = Routes.interactionCallback('123456789012345678', Math.random().toString(36).slice(2));
		await client.rest.post(callback, { body: { type: 5 }, auth: false }).catch(() => {});
		client.callbacks.push(performance.now() - since);
	};
	setInterval(() => void callBack(), 250);
	return routes.length;
};

/** Sends messages to a channel, all at once; resolves with the time that each took. */
client.say = (channelId, count) =>
	Promise.all(
		Array.from({ length: count }, async () => {
			const since = performance.now();
			await client.rest.post(Routes.channelMessages(channelId), { body: { content: 'a' } });
			return performance.now() - since;
		}),
	);

/**
 * The same without a library, as a program in another language does it: it knows the address by SHARDCTL_API, and of limits nothing.
 * Resolves with the status of each response, or the error where there is none.
 */
client.sayPlainly = (channelId, count) =>
	Promise.all(
		Array.from({ length: count }, async () => {
			try {
				const answer = await fetch(`${process.env.SHARDCTL_API}/v10/channels/${channelId}/messages`, {
					method: 'POST',
					headers: { authorization: `Bot ${process.env.DISCORD_TOKEN}`, 'content-type': 'application/json' },
					body: '{"content":"a"}',
				});
				await answer.text();
				return answer.status;
			} catch (error) {
				return error.message;
			}
		}),
	);

void client.login();
