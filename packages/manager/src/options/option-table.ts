// Every option of createShardManager, once: what it may be, its default, where it can be set, and its row of the README. The schema, the
// flags of `shardctl start` with their twins in the environment, the keys and the type of a config file and the README's table follow from
// this. To add an option: its type in shard-manager-options.ts, its row here, and what it does. Only types are imported, because the
// command line reads this on every command.
import type { ControlOptions } from '@shardctl/control/server';
import type { ClusterOptions } from './cluster-options.js';
import type { GatewayOptions } from './gateway-options.js';
import type { QueueOptions } from './queue-options.js';
import type { ReshardOptions } from './reshard-options.js';
import type { ShardManagerOptions } from './shard-manager-options.js';

/** What a value may be; `option-kinds.ts` has the schema of each, the command line how it reads each from text. */
export type OptionKind =
	| 'string'
	| 'strings'
	| 'strings by name'
	| 'count'
	| 'count or auto'
	| 'shard list'
	/** Milliseconds; 0 and Infinity disable it. */
	| 'duration'
	/** Bytes; 0 and Infinity disable it. */
	| 'size'
	| 'whole number'
	| 'milliseconds'
	| 'flag'
	| 'flag or port'
	| 'url'
	| 'name'
	| 'folder'
	| 'respawn'
	| 'worker mode'
	| 'gateway'
	| 'rest'
	| 'reshard'
	| 'cluster'
	| 'queue'
	| 'control'
	| 'simulator'
	| 'logger'
	| 'clock';

/** How `shardctl start` has an option. Its twin in the environment and its key in a config file follow from its name. */
export interface Flag {
	/** As in the help: `--ready-timeout <time>`. */
	readonly flags: `--${string}`;
	readonly help: string;
	/** For the help; by default the option's default. */
	readonly defaultHelp?: string | undefined;
	readonly kind: OptionKind;
	readonly choices?: readonly string[];
}

/**
 * Where an option can be set, beside code: by a flag, by its twin in the environment and in a config file; in a config file alone, because
 * its value is a list, an object or a secret; or nowhere, because its value is an object of the program.
 */
export type Settable = 'flag' | 'config file' | 'code';

export interface OptionRow<Value = unknown> {
	readonly kind: OptionKind;
	readonly settable: Settable;
	readonly flag?: Omit<Flag, 'kind'>;
	readonly default?: Value;
	/** For the README and the help, where the default is not a value. */
	readonly defaultText?: string;
	/** Its row in the README, as Markdown. */
	readonly doc: string;
}

type OptionName = keyof ShardManagerOptions;

export const managerOptionTable = {
	token: { kind: 'string', settable: 'config file', defaultText: '`DISCORD_TOKEN`', doc: 'bot token, with or without `Bot `' },
	totalShards: {
		kind: 'count or auto',
		settable: 'flag',
		flag: {
			flags: '--shards <auto|count>',
			help: "the bot's shard count",
			defaultHelp: 'auto, what Discord recommends',
		},
		default: 'auto',
		doc: "a whole number from 1; `'auto'` is what Discord recommends",
	},
	shardList: {
		kind: 'shard list',
		settable: 'flag',
		flag: { flags: '--shard-list <ids>', help: 'the shards to run here, such as 0-3,7' },
		defaultText: 'all',
		doc: "the shards to run here: `number[]` or a string such as `'0-3,7'`",
	},
	shardsPerWorker: {
		kind: 'count or auto',
		settable: 'flag',
		flag: { flags: '--shards-per-worker <auto|count>', help: 'shards per process; auto: spread over the cores' },
		default: 1,
		doc: "a whole number from 1; `'auto'` spreads the shards over the CPU cores",
	},
	workerMode: {
		kind: 'worker mode',
		settable: 'flag',
		flag: {
			flags: '--worker-mode <mode>',
			help: 'what a worker is: a process of its own, or a thread of a process that runs several workers',
			choices: ['process', 'thread'],
		},
		default: 'process',
		doc: "`'process'`: each worker is a process of its own; `'thread'`: several workers are threads of one process",
	},
	threadsPerProcess: {
		kind: 'count',
		settable: 'flag',
		flag: { flags: '--threads-per-process <count>', help: 'with --worker-mode thread: how many workers a process runs' },
		default: 8,
		doc: "with `workerMode: 'thread'`: how many workers a process runs",
	},
	respawn: {
		kind: 'respawn',
		settable: 'flag',
		flag: { flags: '--no-respawn', help: 'do not restart workers that exit' },
		default: true,
		doc: '`false`, `true`, or a restart policy `{ initialDelayMs, maxDelayMs, factor, maxRestarts, windowMs, stableAfterMs, cooldownMs }`; a restart that follows another and costs an IDENTIFY counts as five',
	},
	gateway: {
		kind: 'gateway',
		settable: 'flag',
		flag: {
			flags: '--gateway <mode>',
			help: 'who owns the Discord sessions: the workers (direct), or separate gateway processes, so workers restart without an identify (resident); with queue these write the events to Redis, for any number of workers on any machine',
			choices: ['direct', 'resident', 'queue'],
		},
		default: 'direct',
		doc: "`'direct'`: workers own their sessions; `'resident'`: gateway processes own them, so that workers are replaced without an IDENTIFY; `'queue'`: the same, and they write the events to Redis, where workers on any machine read them; or `{ mode, sessions, shardsPerGateway, delivery, bufferEvents, bufferBytes, bufferAgeMs, compression }`",
	},
	rest: {
		kind: 'rest',
		settable: 'flag',
		flag: {
			flags: '--rest <mode>',
			help: "how requests to Discord's REST API are sent: by each worker, which knows only its own share of the limits (direct), or all by one process with one rate limit for the whole bot (shared)",
			choices: ['direct', 'shared'],
			defaultHelp: 'shared with more than one worker, --cluster or workers of a queue, else direct',
		},
		defaultText: "`'shared'` with more than one worker, `cluster` or workers of a queue, else `'direct'`",
		doc: "`'direct'`: each worker sends its own requests to Discord's REST API; `'shared'`: one process sends those of all workers, with one rate limit for the whole bot; or `{ mode, globalPerSecond }` for a bot whose limit is not 50 a second",
	},
	reshard: {
		kind: 'reshard',
		settable: 'flag',
		flag: {
			flags: '--reshard <mode>',
			help: 'when a Discord session is 80 % full or Discord recommends twice the sessions: say so (warn), start more sessions while the fleet runs, with --gateway resident (auto), or nothing (off)',
			choices: ['auto', 'warn', 'off'],
			defaultHelp: 'warn',
		},
		defaultText: "`'warn'`",
		doc: "what happens when a Discord session has 80 % of the 2,500 guilds that Discord allows, or Discord recommends twice the sessions: `'warn'`: stats, events and metrics say so; `'auto'`: the fleet is resharded as well, when it is whole and quiet, which needs gateway processes; `'off'`; or `{ mode, window }` with the hours in which that may begin, such as `'02:00-05:00'`",
	},
	cluster: {
		kind: 'cluster',
		settable: 'flag',
		flag: {
			flags: '--cluster <url>',
			help: 'run one fleet with every manager that uses this Redis, such as redis://10.0.0.5:6379',
		},
		defaultText: 'none',
		doc: 'the Redis (7.0 or later, or Valkey) that all nodes of the fleet share, or `{ url, node, capacity, expect, leaseMs, state, secret, ca, cert, key, tls }`',
	},
	queue: {
		kind: 'queue',
		settable: 'flag',
		flag: {
			flags: '--queue <url>',
			help: 'with --gateway queue: the Redis that the events go through, such as redis://localhost:6379',
			defaultHelp: 'that of --cluster',
		},
		defaultText: '`SHARDCTL_QUEUE`, else the Redis of `cluster`',
		doc: "with `gateway: 'queue'`: the Redis (7.0 or later, or Valkey) that the events go through, or `{ url, keepBytes, keepAgeMs, workersOnly, ca, cert, key }`",
	},
	workers: {
		kind: 'count',
		settable: 'flag',
		flag: { flags: '--workers <count>', help: 'with --gateway queue: how many workers to run here', defaultHelp: '1' },
		defaultText: '1',
		doc: "with `gateway: 'queue'`: how many workers run here; `scale()` changes it",
	},
	api: {
		kind: 'url',
		settable: 'flag',
		flag: { flags: '--api <url>', help: "base URL of Discord's REST API", defaultHelp: 'https://discord.com/api' },
		defaultText: '`SHARDCTL_API`, else `https://discord.com/api`',
		doc: "base URL of Discord's REST API",
	},
	interpreter: {
		kind: 'string',
		settable: 'flag',
		flag: {
			flags: '--interpreter <command>',
			help: 'what runs the bot file, such as pypy3',
			defaultHelp: 'python3 for .py, else node',
		},
		defaultText: '`python3` for `.py`, else node',
		doc: "what runs the bot file: a command, or `'none'` where the file is a program itself; everything but node runs with gateway processes",
	},
	args: { kind: 'strings', settable: 'config file', default: [], doc: 'arguments for the bot' },
	execArgv: { kind: 'strings', settable: 'config file', default: [], doc: 'arguments for node' },
	env: {
		kind: 'strings by name',
		settable: 'config file',
		default: {},
		doc: 'environment variables for the workers, in addition to those they inherit',
	},
	cwd: { kind: 'folder', settable: 'config file', defaultText: "the manager's", doc: 'working directory of the workers' },
	readyTimeoutMs: {
		kind: 'duration',
		settable: 'flag',
		flag: { flags: '--ready-timeout <time>', help: 'replace a worker that makes no progress for this long' },
		default: 60_000,
		doc: 'a worker that makes no progress towards ready for this long is replaced; waiting for an identify slot does not count',
	},
	shutdownGraceMs: {
		kind: 'duration',
		settable: 'flag',
		flag: { flags: '--grace <time>', help: 'how long a worker has to shut down' },
		default: 10_000,
		doc: 'how long a worker has to shut down',
	},
	heartbeatTimeoutMs: {
		kind: 'duration',
		settable: 'flag',
		flag: { flags: '--heartbeat-timeout <time>', help: 'replace a worker whose event loop is blocked for this long' },
		default: 30_000,
		doc: 'a worker whose main thread does not answer for this long is considered hung and replaced',
	},
	statsIntervalMs: {
		kind: 'duration',
		settable: 'flag',
		flag: { flags: '--stats-interval <time>', help: 'how often workers report their figures' },
		default: 5000,
		doc: 'how often workers report their figures',
	},
	callTimeoutMs: {
		kind: 'duration',
		settable: 'flag',
		flag: { flags: '--call-timeout <time>', help: 'deadline of calls that set none' },
		default: 30_000,
		doc: 'deadline of calls without one of their own',
	},
	maxMemoryBytes: {
		kind: 'size',
		settable: 'flag',
		flag: { flags: '--max-memory <size>', help: 'replace a worker above this resident memory, such as 512MB' },
		defaultText: 'none',
		doc: 'resident memory above which a worker is replaced',
	},
	identifyReserve: {
		kind: 'whole number',
		settable: 'flag',
		flag: { flags: '--identify-reserve <count>', help: 'session starts of the day that automatic restarts never use' },
		default: 50,
		doc: 'session starts per day that automatic restarts leave unused (at most a tenth of the daily total)',
	},
	identifyWindowMs: {
		kind: 'milliseconds',
		settable: 'config file',
		default: 5000,
		doc: "length of the identify window; shorter only with an `api` other than Discord's",
	},
	name: {
		kind: 'name',
		settable: 'flag',
		flag: {
			flags: '--name <name>',
			help: 'the name for stats, stop and so on',
			defaultHelp: 'from package.json, else the folder',
		},
		defaultText: 'from `package.json`, else the folder',
		doc: 'the name under which the command line finds the manager',
	},
	control: {
		kind: 'control',
		settable: 'config file',
		default: true,
		doc: 'serve the control API; `false`: do not; `{ port, host, token, dashboard }`: over TCP as well',
	},
	simulator: {
		kind: 'simulator',
		settable: 'code',
		defaultText: 'none',
		doc: '`{ url }` of the simulator that `api` belongs to; `stats` shows it',
	},
	silent: {
		kind: 'flag',
		settable: 'code',
		default: false,
		doc: 'do not print what the bots print, nor why a worker exited; the events `worker:log` and `worker:exited` have both',
	},
	logger: { kind: 'logger', settable: 'code', defaultText: 'pino', doc: 'any pino-compatible logger' },
	clock: { kind: 'clock', settable: 'code', defaultText: 'the system clock', doc: 'source of time, for tests' },
} as const satisfies { readonly [Name in OptionName]-?: OptionRow<ShardManagerOptions[Name]> };

/** Flags that set a part of an option. */
export const optionPartTable = {
	'gateway.sessions': {
		kind: 'count or auto',
		flags: '--gateway-sessions <auto|count>',
		help: 'with --gateway resident or queue: number of Discord sessions; must divide the shard count; auto: what Discord recommends, with --cluster at least one for each node of --expect',
		defaultHelp: 'one per shard',
	},
	'reshard.window': {
		kind: 'string',
		flags: '--reshard-window <times>',
		help: 'with --reshard auto: when it may begin, in local time, such as 02:00-05:00',
		defaultHelp: 'at any time',
	},
	'cluster.node': {
		kind: 'string',
		flags: '--node <name>',
		help: 'with --cluster: the name of this node',
		defaultHelp: 'the host name',
	},
	'cluster.capacity': {
		kind: 'count or auto',
		flags: '--capacity <auto|sessions>',
		help: 'with --cluster: how many Discord sessions this node takes at most; auto: no limit, and as many for each core as on the other nodes with auto',
		defaultHelp: 'no limit',
	},
	'cluster.expect': {
		kind: 'whole number',
		flags: '--expect <nodes>',
		help: 'with --cluster: place no session before this many nodes are there',
		defaultHelp: '1',
	},
	'cluster.leaseMs': {
		kind: 'duration',
		flags: '--lease <time>',
		help: 'with --cluster: how long a node that is gone keeps its sessions; the same on all nodes',
		defaultHelp: '6s',
	},
	'cluster.state': {
		kind: 'string',
		choices: ['redis', 'none'],
		flags: '--cluster-state <redis|none>',
		help: 'with --cluster: where sessions and guilds are saved; with none, a session starts on another node with an IDENTIFY; the same on all nodes',
		defaultHelp: 'redis',
	},
	'cluster.ca': {
		kind: 'string',
		flags: '--cluster-ca <file>',
		help: 'with rediss://: the authority of the certificate of Redis',
	},
	'cluster.cert': { kind: 'string', flags: '--cluster-cert <file>', help: 'with rediss://: a client certificate' },
	'cluster.key': { kind: 'string', flags: '--cluster-key <file>', help: 'with rediss://: the key of the client certificate' },
	'queue.workersOnly': {
		kind: 'flag',
		flags: '--workers-only',
		help: 'with --gateway queue: run workers only; another manager of the bot holds the sessions and writes to the queue',
	},
	'queue.keepBytes': {
		kind: 'size',
		flags: '--queue-keep-size <size>',
		help: 'with --gateway queue: how much Redis keeps for workers that are away',
		defaultHelp: '1GB',
	},
	'queue.keepAgeMs': {
		kind: 'duration',
		flags: '--queue-keep <time>',
		help: 'with --gateway queue: for how long Redis keeps events for workers that are away',
		defaultHelp: '10m',
	},
	'queue.ca': { kind: 'string', flags: '--queue-ca <file>', help: 'with rediss://: the authority of the certificate of Redis' },
	'queue.cert': { kind: 'string', flags: '--queue-cert <file>', help: 'with rediss://: a client certificate' },
	'queue.key': { kind: 'string', flags: '--queue-key <file>', help: 'with rediss://: the key of the client certificate' },
	'control.port': {
		kind: 'whole number',
		flags: '--port <port>',
		help: 'serve the control API over TCP as well, on this port (0: any free one)',
	},
	'control.host': { kind: 'string', flags: '--host <address>', help: 'address to bind, with --port', defaultHelp: '127.0.0.1' },
	'control.allowEval': { kind: 'flag', flags: '--allow-eval', help: 'let clients over TCP run code in the bot' },
	'control.dashboard': {
		kind: 'flag or port',
		flags: '--dashboard [port]',
		help: 'serve the dashboard from the start, on this port',
		defaultHelp: 'that of --port, else 7462',
	},
	'control.dashboardReadOnly': { kind: 'flag', flags: '--dashboard-read-only', help: 'browsers may not act on the fleet' },
} as const satisfies {
	readonly [Part in
		| `gateway.${keyof GatewayOptions}`
		| `reshard.${keyof ReshardOptions}`
		| `cluster.${keyof ClusterOptions}`
		| `queue.${keyof QueueOptions}`
		| `control.${keyof ControlOptions}`]?: Flag;
};

/** A flag with what it sets: an option, or a part of one such as `control.port`. */
export interface OptionFlag extends Flag {
	readonly sets: string;
}

/** The flags of all options, in the order of the table, those of parts after their option's. */
export function optionFlags(): OptionFlag[] {
	const parts = Object.entries<Flag>(optionPartTable).map(([sets, part]) => ({ ...part, sets }));
	return Object.entries<OptionRow>(managerOptionTable).flatMap(([name, row]): OptionFlag[] => {
		const own = row.flag ? [{ kind: row.kind, defaultHelp: defaultHelp(row), ...row.flag, sets: name }] : [];
		return [...own, ...parts.filter(({ sets }) => sets.startsWith(`${name}.`))];
	});
}

/** The options that a config file may have under the name of createShardManager. */
export function configFileOptions(): string[] {
	return Object.entries<OptionRow>(managerOptionTable).flatMap(([name, { settable }]) => (settable === 'code' ? [] : [name]));
}

/** The README's rows. */
export function optionDocs(): string[] {
	return Object.entries<OptionRow>(managerOptionTable).map(([name, row]) => `| \`${name}\` | ${defaultDoc(row)} | ${row.doc} |`);
}

function defaultDoc({ default: value, defaultText }: OptionRow): string {
	if (defaultText !== undefined) return defaultText;
	return `\`${typeof value === 'string' ? `'${value}'` : JSON.stringify(value)}\``;
}

function defaultHelp({ kind, default: value, defaultText }: OptionRow): string | undefined {
	// `--no-…` is the opposite of the default.
	if (kind === 'respawn') return undefined;
	if (kind === 'duration') return `${(value as number) / 1000}s`;
	return defaultText ?? (value === undefined ? undefined : String(value));
}

type Word<Text extends string> = Text extends `${infer First} ${string}` ? First : Text;
type Camel<Text extends string> = Text extends `${infer First}-${infer Rest}` ? `${First}${Capitalize<Camel<Rest>>}` : Text;
/** The key of a config file that a flag has: `--ready-timeout <time>` → `readyTimeout`. */
type KeyOf<Flags extends string> = Flags extends `--no-${infer Rest}`
	? Camel<Word<Rest>>
	: Flags extends `--${infer Rest}`
		? Camel<Word<Rest>>
		: never;

type Table = typeof managerOptionTable;
type Parts = typeof optionPartTable;
/** In a config file a duration may be `'30s'` and a size `'512MB'`. */
type Notation<Kind, Value> = Kind extends 'duration' | 'size' ? Value | string : Value;
type CodeOnly = { [Name in OptionName]: Table[Name]['settable'] extends 'code' ? Name : never }[OptionName];

/** What a config file may say about the options of createShardManager, by their own names. */
export type ConfigFileOptions = Omit<ShardManagerOptions, CodeOnly>;

/** The same by the names of their flags, in the notation of the command line. */
export type FlagNamedOptions = {
	[Name in OptionName as Table[Name] extends { flag: { flags: infer Flags extends string } }
		? Exclude<KeyOf<Flags>, OptionName>
		: never]?: Notation<Table[Name]['kind'], ShardManagerOptions[Name]>;
} & { [Part in keyof Parts as KeyOf<Parts[Part]['flags']>]?: Notation<Parts[Part]['kind'], PartValue<Part>> };

type PartValue<Part> = Part extends `gateway.${infer Key extends keyof GatewayOptions}`
	? GatewayOptions[Key]
	: Part extends `control.${infer Key extends keyof ControlOptions}`
		? ControlOptions[Key]
		: Part extends `reshard.${infer Key extends keyof ReshardOptions}`
			? ReshardOptions[Key]
			: Part extends `cluster.${infer Key extends keyof ClusterOptions}`
				? ClusterOptions[Key]
				: Part extends `queue.${infer Key extends keyof QueueOptions}`
					? QueueOptions[Key]
					: never;
