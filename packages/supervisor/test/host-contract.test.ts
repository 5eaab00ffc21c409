// What every host of children promises: one suite, run on real processes, node's and another program's, on threads, and on children in memory.
import { fileURLToPath } from 'node:url';
import { isAlive } from '@shardctl/test-support';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChildExit, ChildHandle, ProcessHost } from '../src/child-handle.js';
import type { ChildSpec } from '../src/child-spec.js';
import { createProcessHost } from '../src/process-host.js';
import { type ScriptedEnd, scriptedHost } from '../src/testing/index.js';
import { createThreadHost } from '../src/threads/thread-host.js';

/** What the children of the suite do. */
type Deed = 'idle' | 'exits with 3' | 'writes and exits' | 'echoes' | 'closes its channel';

interface Kind {
	name: string;
	host(): ProcessHost;
	spec(deed: Deed): ChildSpec;
	/** Whether the children have a process id of the system. */
	real: boolean;
}

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const base = { id: 'test', env: { PATH: process.env.PATH ?? '' } };

const nodeScript: Record<Deed, string> = {
	idle: 'setInterval(() => {}, 1e6);',
	'exits with 3': 'process.exit(3);',
	'writes and exits':
		"process.stdout.write('to stdout\\n'); process.stderr.write('to stderr\\n'); process.exitCode = 0; process.disconnect();",
	echoes: 'process.on("message", (message) => process.send({ echo: message }));',
	'closes its channel': 'process.disconnect(); setInterval(() => {}, 1e6);',
};

/** A program that is not node, with node's protocol: one JSON text per line on the descriptor that NODE_CHANNEL_FD names. */
const shellScript: Record<Deed, string> = {
	idle: 'sleep 1000',
	'exits with 3': 'exit 3',
	'writes and exits': 'echo to stdout; echo to stderr >&2',
	echoes:
		'eval "exec 4<&$NODE_CHANNEL_FD"; while read -r line <&4; do eval "printf \'{\\"echo\\":%s}\\n\' \'$line\' >&$NODE_CHANNEL_FD"; done',
	'closes its channel': 'eval "exec $NODE_CHANNEL_FD>&-"; sleep 1000',
};

/** As runtimes do, the program in a thread keeps its own port to itself. */
const isPrivate = () => true;
const threads = createThreadHost({ threadsPerProcess: 3, isPrivate });
let owners = 0;

const memoryScript: Record<Deed, (end: ScriptedEnd) => void> = {
	idle: () => {},
	'exits with 3': (end) => end.exit(3),
	'writes and exits': (end) => {
		end.write('stdout', 'to stdout\n');
		end.write('stderr', 'to stderr\n');
		end.exit(0);
	},
	echoes: (end) => end.onMessage((message) => void end.send({ echo: message })),
	'closes its channel': (end) => end.disconnect(),
};

const kinds: Kind[] = [
	{
		name: 'of node processes',
		host: createProcessHost,
		spec: (deed) => ({ ...base, file: '-', execArgv: ['--eval', nodeScript[deed], '--'] }),
		real: true,
	},
	{
		name: 'of programs that are not node',
		host: createProcessHost,
		spec: (deed) => ({ ...base, command: 'sh', args: ['-c', shellScript[deed]], channel: true }),
		real: true,
	},
	{
		name: 'of threads, several in a process',
		host: () => threads,
		spec: (deed) => ({ ...base, env: { ...base.env, DEED: deed }, file: fixture('thread.cjs'), ordinal: owners++ }),
		real: true,
	},
	{
		name: 'of threads, one in a process',
		host: () => createThreadHost({ threadsPerProcess: 1, isPrivate }),
		spec: (deed) => ({ ...base, env: { ...base.env, DEED: deed }, file: fixture('thread.cjs') }),
		real: true,
	},
	{
		name: 'in memory',
		host: () => scriptedHost((end) => memoryScript[end.spec.id as Deed](end)),
		spec: (deed) => ({ ...base, id: deed, file: 'bot.js' }),
		real: false,
	},
];

describe.each(kinds)('a host $name', ({ host: makeHost, spec, real }) => {
	const started: ChildHandle[] = [];
	afterEach(async () => {
		for (const child of started.splice(0)) {
			child.kill();
			await child.endGroup();
			child.close();
		}
	});

	const start = (deed: Deed) => {
		const child = makeHost().start(spec(deed));
		started.push(child);
		const text = { stdout: '', stderr: '' };
		const closed = (['stdout', 'stderr'] as const).map(
			(name) =>
				new Promise<void>((resolve) => {
					child.output[name]?.on('data', (chunk: Buffer) => {
						text[name] += chunk.toString();
					});
					child.output[name]?.once('close', resolve);
				}),
		);
		const messages: unknown[] = [];
		const arrived = new Map<number, () => void>();
		child.channel.on('message', (message) => {
			messages.push(message);
			arrived.get(messages.length)?.();
		});
		const disconnected = new Promise<void>((resolve) => void child.channel.on('disconnect', resolve));
		const exits: ChildExit[] = [];
		const exited = new Promise<ChildExit>((resolve) =>
			child.onExit((exit) => {
				exits.push(exit);
				resolve(exit);
			}),
		);
		const receive = (count: number) =>
			messages.length >= count ? Promise.resolve() : new Promise<void>((resolve) => arrived.set(count, resolve));
		return { child, text, outputClosed: Promise.all(closed), messages, receive, disconnected, exited, exits };
	};
	it('starts a child with its own id, a channel and both outputs', () => {
		const [one, other] = [start('idle').child, start('idle').child];
		expect(one.pid).toBeGreaterThan(0);
		expect(other.pid).toBeGreaterThan(0);
		expect([one, other].map(({ pid }) => !real || isAlive(pid as number))).toEqual([true, true]);
		expect({ connected: one.channel.connected, stdout: !!one.output.stdout, stderr: !!one.output.stderr }).toEqual({
			connected: true,
			stdout: true,
			stderr: true,
		});
	});

	it('reports an exit once, with its code, and the close of the channel', async () => {
		const { child, exited, exits, disconnected } = start('exits with 3');
		expect(await exited).toEqual({ code: 3, signal: null });
		await disconnected;
		await child.endGroup();
		expect({ exits: exits.length, connected: child.channel.connected }).toEqual({ exits: 1, connected: false });
	});

	it('delivers all output written before the exit, each stream separately', async () => {
		const { text, exited, outputClosed } = start('writes and exits');
		expect(await exited).toEqual({ code: 0, signal: null });
		await outputClosed;
		expect(text).toEqual({ stdout: 'to stdout\n', stderr: 'to stderr\n' });
	});

	it('delivers messages in both directions, in order', async () => {
		const { child, messages, receive } = start('echoes');
		const sent = Array.from({ length: 20 }, (_, number) => ({ number, text: 'ä' }));
		expect(await Promise.all(sent.map((message) => send(child, message)))).toEqual(sent.map(() => null));
		await receive(sent.length);
		expect(messages).toEqual(sent.map((echo) => ({ echo })));
	});

	it('reports when the child has closed its channel, and fails later messages', async () => {
		const { child, disconnected, exits } = start('closes its channel');
		await disconnected;
		expect(child.channel.connected).toBe(false);
		expect(await send(child, 1)).toBeInstanceOf(Error);
		expect(exits).toEqual([]);
	});

	it('ends a child by SIGTERM', async () => {
		const { child, exited } = start('idle');
		expect(child.signal('SIGTERM')).toBe(true);
		expect(await exited).toEqual({ code: null, signal: 'SIGTERM' });
		await child.endGroup();
		expect(child.signal('SIGTERM')).toBe(false);
	});

	it('kills a child, and allows further kills', async () => {
		const { child, exited, exits } = start('idle');
		child.kill();
		expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
		child.kill();
		await child.endGroup();
		await child.endGroup();
		child.close();
		child.close();
		expect(exits).toHaveLength(1);
	});

	it('closes output and channel on request', async () => {
		const { child, outputClosed, disconnected } = start('idle');
		child.close();
		await Promise.all([outputClosed, disconnected]);
		expect(child.channel.connected).toBe(false);
	});
});

describe('a program without a channel', () => {
	it('has a channel that is closed from the start', async () => {
		const child = createProcessHost().start({ ...base, command: 'sh', args: ['-c', 'test -z "$NODE_CHANNEL_FD"'] });
		const exited = new Promise((resolve) => child.onExit(resolve));
		expect(child.channel.connected).toBe(false);
		expect(await send(child, 1)).toBeInstanceOf(Error);
		expect(await exited).toEqual({ code: 0, signal: null });
	});

	it('has no stack to show, and is not signalled for one', async () => {
		const child = createProcessHost().start({ ...base, command: 'sleep', args: ['1000'] });
		const exited = new Promise((resolve) => child.onExit(resolve));
		expect(await child.hungStack({ address: () => Promise.reject(new Error('asked')) } as never, AbortSignal.abort())).toEqual(
			[],
		);
		child.kill();
		expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
	});
});

describe('what cannot be started', () => {
	it('a thread in a folder that does not exist has no pid, reports the reason, and emits no exit', async () => {
		const host = createThreadHost({ threadsPerProcess: 2, isPrivate });
		for (const ordinal of [0, 1]) {
			const child = host.start({ ...base, ordinal, file: 'bot.js', cwd: '/no/such/folder' });
			const exits: ChildExit[] = [];
			child.onExit((exit) => exits.push(exit));
			const error = await new Promise<Error>((resolve) => child.onStartError(resolve));
			expect({ pid: child.pid, code: (error as NodeJS.ErrnoException).code }).toEqual({ pid: null, code: 'ENOENT' });
			expect(await send(child, 1)).toBeInstanceOf(Error);
			expect(exits).toEqual([]);
			child.close();
		}
	});

	it.each<[string, ChildSpec]>([
		['a program that does not exist', { ...base, command: 'no-such-program' }],
		['a program in a folder that does not exist', { ...base, command: 'sh', cwd: '/no/such/folder' }],
		['a node process in a folder that does not exist', { ...base, file: 'bot.js', cwd: '/no/such/folder' }],
	])('%s has no pid, reports the reason, and emits no exit', async (_, spec) => {
		const child = createProcessHost().start(spec);
		const exits: ChildExit[] = [];
		child.onExit((exit) => exits.push(exit));
		const error = await new Promise<Error>((resolve) => child.onStartError(resolve));
		expect({ pid: child.pid, code: (error as NodeJS.ErrnoException).code }).toEqual({ pid: null, code: 'ENOENT' });
		await new Promise((resolve) => setImmediate(resolve));
		expect(exits).toEqual([]);
		child.close();
	});
});

function send(child: ChildHandle, message: unknown): Promise<Error | null> {
	return new Promise((resolve) => void child.channel.send(message, resolve));
}
