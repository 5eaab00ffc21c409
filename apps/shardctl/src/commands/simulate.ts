// `shardctl simulate`: a Discord on this machine, for bots without a token.
import { Command, InvalidArgumentError, type Option } from 'commander';
import { option } from '../option.js';
import { duration, whole } from '../option-parsers.js';

interface SimulateOptions {
	set: Record<string, unknown>;
	[option: string]: unknown;
}

/** Its options have twins of their own, since `SHARDCTL_SHARDS` is about the fleet. */
const simulateOption = (flags: string, description: string) => option(flags, description, 'SIMULATE');

/** The simulator's options that people reach for; `--set` has the rest, and the simulator judges them all. */
function options(): Option[] {
	return [
		simulateOption('--port <port>', 'port to listen on').default(0, 'any free one').argParser(whole(0)),
		simulateOption('--host <address>', 'address to listen on (default: 127.0.0.1)'),
		simulateOption('--allow-remote', 'allow an address that other machines can reach'),
		simulateOption('--token <token>', 'the token that is valid (default: a new one)'),
		simulateOption('--shards <count>', 'recommended shards (default: from the number of guilds)').argParser(whole(1)),
		simulateOption('--guilds <count>', 'guilds that the bot is in').default(20).argParser(whole(0)),
		simulateOption('--max-concurrency <count>', 'identifies per window').default(1).argParser(whole(1)),
		simulateOption('--seed <number>', 'the same seed makes the same world').default(1).argParser(whole(0)),
		simulateOption('--events-per-second <count>', 'how much goes on in the guilds by itself').default(0).argParser(whole(0)),
		simulateOption('--large-bot', 'as for large bots: shard counts in steps, more session starts'),
		simulateOption('--session-ttl <time>', 'how long a lost session can be resumed').argParser(duration),
		simulateOption('--identify-window <time>', 'how long an identify slot is taken').argParser(duration),
		simulateOption('--heartbeat-interval <time>', 'what HELLO tells').argParser(duration),
		simulateOption('--set <option=value>', 'any other option of the simulator, such as sessionStarts.total=5; may be repeated')
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
	const command = new Command('simulate').description(
		'Runs a simulated Discord; prints its address and a token as one line of JSON.',
	);
	for (const each of options()) command.addOption(each);
	return command.action(async ({ set, ...given }: SimulateOptions) => {
		const { createSimulator } = await import('@shardctl/simulator');
		const named = Object.fromEntries(Object.entries(given).map(([key, value]) => [withUnit[key] ?? key, value]));
		const simulator = await createSimulator({ ...named, ...set });
		process.stdout.write(`${JSON.stringify({ url: simulator.url, token: simulator.token })}\n`);
		await new Promise<void>((resolve) => {
			for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
			// Started by `start --simulate`: its end is ours.
			process.once('disconnect', () => resolve());
		});
		await simulator.stop();
		if (process.connected) process.disconnect();
	});
}

/** Adds `a.b=value` to what was set before; the value is JSON, or a text. */
export function assignment(text: string, before: Record<string, unknown>): Record<string, unknown> {
	const match = /^([a-zA-Z][\w.]*)=(.*)$/s.exec(text);
	if (!match) throw new InvalidArgumentError('It must have the form option=value, such as sessionStarts.total=5.');
	const [, path = '', value = ''] = match;
	return setAt(before, path.split('.'), jsonOrText(value));
}

function setAt(object: Record<string, unknown>, [first = '', ...rest]: string[], value: unknown): Record<string, unknown> {
	if (rest.length === 0) return { ...object, [first]: value };
	const inner = object[first];
	return { ...object, [first]: setAt(typeof inner === 'object' && inner !== null ? { ...inner } : {}, rest, value) };
}

function jsonOrText(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
