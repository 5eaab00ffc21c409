// A discord.js bot that writes down when it has handled a message: synchronously, so that a restart takes nothing of it away.
const { writeSync, openSync } = require('node:fs');
const { Client } = require('discord.js');

const handled = openSync(process.env.BENCH_HANDLED, 'a');
const client = new Client({ intents: ['Guilds', 'GuildMessages', 'MessageContent'] });
client.on('messageCreate', ({ guildId }) => writeSync(handled, `${guildId} ${process.hrtime.bigint()}\n`));
void client.login();
