// A discord.js bot that records when it has handled a message: synchronously, so that a restart loses no record.
const { writeSync, openSync } = require('node:fs');
const { Client } = require('discord.js');

const handled = openSync(process.env.BENCH_HANDLED, 'a');
const client = new Client({ intents: ['Guilds', 'GuildMessages', 'MessageContent'] });
client.on('messageCreate', ({ guildId }) => writeSync(handled, `${guildId} ${process.hrtime.bigint()}\n`));
void client.login();
