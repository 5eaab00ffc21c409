// A worker of the event queue, with the Client of @discordjs/core: it answers every command. Any number of it can run, on any machine, beside
// `shardctl start --gateway queue --queue redis://localhost`, or under it: `shardctl start worker.js --gateway queue … --workers 4`.
// It needs DISCORD_TOKEN and SHARDCTL_QUEUE, which shardctl gives its own workers.
import { Client, GatewayDispatchEvents } from '@discordjs/core';
import { REST } from '@discordjs/rest';
import { connectQueue } from 'shardctl/queue';

const queue = await connectQueue({ group: 'commands', events: ['INTERACTION_CREATE'] });
const client = new Client({ rest: queue.rest(REST), gateway: queue.gateway });

// The event is acknowledged when this has settled. Where it fails, or the worker dies, the event is delivered again.
client.on(GatewayDispatchEvents.InteractionCreate, async ({ data: interaction, api }) => {
	await api.interactions.reply(interaction.id, interaction.token, { content: 'Pong!' });
});

console.log('a worker of the group "commands" is running');
// On SIGTERM it finishes what it has, and leaves the rest to the others.
await queue.run(client);
