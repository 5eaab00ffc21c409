// A bot of @discordjs/core and @discordjs/ws that only logs in.
import { Client } from '@discordjs/core';
import { REST } from '@discordjs/rest';
import { WebSocketManager } from '@discordjs/ws';
import { attach } from 'shardctl/worker';

const rest = new REST().setToken(process.env.DISCORD_TOKEN);
const gateway = new WebSocketManager({ token: process.env.DISCORD_TOKEN, intents: 1, rest });
const client = new Client({ rest, gateway });
attach(gateway);
gateway.on('error', (error) => console.error(error));
void client;
await gateway.connect();
