// `shardctl simulate`: a local Discord simulator, for bots without a token.
import { Command, InvalidArgumentError, type Option } from 'commander';
import { option } from '../option.js';
import { duration, whole } from '../option-parsers.js';
import { surviveFailedOutput } from '../start/failed-output.js';
import { actCommands } from './simulate-act.js';

interface SimulateOptions {
	set: Record<string, unknown>;
	[option: string]: unknown;
}

/** Its environment variables have a prefix of their own, since `SHARDCTL_SHARDS` is about the fleet. */
const simulateOption = (flags: string, description: string) => option(flags, description, 'SIMULATE');

/** The most used options of the simulator; `--set` takes the others. The simulator validates them all. */
function options(): Option[] {
	return [
		simulateOption('--port <port>', 'port to listen on').default(0, 'any free port').argParser(whole(0)),
		simulateOption('--host <address>', 'address to listen on (default: 127.0.0.1)'),
		simulateOption('--allow-remote', 'allow a --host that other machines can reach'),
		simulateOption('--token <token>', 'the valid token (default: a new one)'),
		simulateOption('--any-token', 'accept whatever token the bot logs in with'),
		simulateOption('--control-token <token>', 'what /simulator/ asks for as a bearer token (default: none)'),
		simulateOption(
			'--bot-permissions <number>',
			"permissions of the bot's role, as the number of an invite link (default: 8, Administrator)",
		),
		simulateOption('--shards <count>', 'recommended shard count (default: from the number of guilds)').argParser(whole(1)),
		simulateOption('--guilds <count>', 'guilds that the bot is in').default(20).argParser(whole(0)),
		simulateOption('--max-concurrency <count>', 'max_concurrency: identifies per window').default(1).argParser(whole(1)),
		simulateOption('--seed <number>', 'seed of the simulated guilds: the same seed gives the same guilds')
			.default(1)
			.argParser(whole(0)),
		simulateOption('--events-per-second <count>', 'background events per second').default(0).argParser(whole(0)),
		simulateOption('--large-bot', 'rules for large bots: shard counts in steps, more session starts'),
		simulateOption('--session-ttl <time>', 'how long a disconnected session can be resumed').argParser(duration),
		simulateOption('--identify-window <time>', 'length of the identify window').argParser(duration),
		simulateOption('--heartbeat-interval <time>', 'heartbeat interval sent in HELLO').argParser(duration),
		simulateOption('--set <option=value>', 'any other simulator option, such as sessionStarts.total=5; repeatable')
			.default({}, 'none')
			.argParser(assignment),
	];
}

/** Flags whose name leaves out the unit that the simulator's option carries. */
const withUnit: Record<string, string> = {
	sessionTtl: 'sessionTtlMs',
	identifyWindow: 'identifyWindowMs',
	heartbeatInterval: 'heartbeatIntervalMs',
};

export function simulateCommand(): Command {
	const command = new Command('simulate')
		.summary('Runs a local Discord simulator.')
		.description('Runs a local Discord simulator; prints its address and token as one line of JSON.');
	for (const each of options()) command.addOption(each);
	for (const each of actCommands()) command.addCommand(each);
	return command.action(async ({ set, ...given }: SimulateOptions) => {
		surviveFailedOutput();
		const { createSimulator } = await import('@shardctl/simulator');
		const named = Object.fromEntries(Object.entries(given).map(([key, value]) => [withUnit[key] ?? key, value]));
		const simulator = await createSimulator({ ...named, ...set });
		process.stdout.write(`${JSON.stringify({ url: simulator.url, token: simulator.token })}\n`);
		await new Promise<void>((resolve) => {
			for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
			// Started by `start --simulate`: ends with its parent.
			process.once('disconnect', () => resolve());
		});
		await simulator.stop();
		if (process.connected) process.disconnect();
	});
}

/** Adds `a.b=value` to what was set before; the value is JSON, or else a string. */
export function assignment(text: string, before: Record<string, unknown>): Record<string, unknown> {
	const match = /^([a-zA-Z][\w.]*)=(.*)$/s.exec(text);
	if (!match) throw new InvalidArgumentError('It must be of the form option=value, such as sessionStarts.total=5.');
	const [, path = '', value = ''] = match;
	return setAt(before, path.split('.'), jsonOrString(value));
}

function setAt(object: Record<string, unknown>, [first = '', ...rest]: string[], value: unknown): Record<string, unknown> {
	if (rest.length === 0) return { ...object, [first]: value };
	const inner = object[first];
	return { ...object, [first]: setAt(typeof inner === 'object' && inner !== null ? { ...inner } : {}, rest, value) };
}

function jsonOrString(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
