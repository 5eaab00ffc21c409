// Builds supervised children around fixtures/child.cjs, with a minimal channel, and ends them with the test.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { NodeChildSpec } from '../src/child-spec.js';
import { type ChildHandle, type ChildLink, type ExitReport, SupervisedChild, type SupervisedChildOptions } from '../src/index.js';
import type { SupervisedChildEvents } from '../src/supervised-child-events.js';

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

export interface RealChild {
	child: SupervisedChild;
	/** The current process; undefined before the first. */
	process: () => ChildHandle;
	/** Runs script in the child. */
	run: (script: string) => void;
	/** What the child sent besides the protocol of the fixture. */
	messages: unknown[];
	/** How many heartbeats have been answered. */
	pongs: () => number;
	/** How often the child has closed its inspector. */
	inspectorsClosed: () => number;
	exits: ExitReport[];
	/** Every process id so far, oldest first. */
	pids: number[];
}

/** A child of `fixtures/child.cjs` that has not been started. `env.DO` is script that it runs at its start. */
export function realChild(
	options: Partial<Omit<SupervisedChildOptions, 'spec'>> & {
		spec?: Partial<NodeChildSpec>;
		doFirst?: string;
		closeInspector?: boolean;
	} = {},
): RealChild {
	let current: ChildHandle | undefined;
	const messages: unknown[] = [];
	const exits: ExitReport[] = [];
	const pids: number[] = [];
	let pongs = 0;
	let inspectorsClosed = 0;
	const { spec, doFirst, closeInspector, ...rest } = options;
	const child = new SupervisedChild({
		policy: null,
		readyTimeoutMs: 30_000,
		shutdownGraceMs: 10_000,
		heartbeat: { intervalMs: 0, timeoutMs: 0 },
		connect(process, epoch): ChildLink {
			current = process;
			const pings = new Map<number, () => void>();
			let next = 1;
			let saidBye = () => {};
			let inspectorClosed = () => {};
			const bye = new Promise<void>((resolve) => {
				saidBye = resolve;
			});
			process.channel.on('message', (raw) => {
				const message = raw as { ready?: true; pong?: number; bye?: true; inspectorClosed?: true };
				if (message.ready) child.markReady(epoch);
				else if (message.pong) {
					pings.get(message.pong)?.();
					pings.delete(message.pong);
					pongs++;
				} else if (message.bye) saidBye();
				else if (message.inspectorClosed) inspectorClosed();
				else messages.push(message);
			});
			return {
				ping: () =>
					new Promise((resolve, reject) => {
						const id = next++;
						pings.set(id, resolve);
						process.channel.send({ ping: id }, (error) => {
							if (error) reject(error);
						});
					}),
				...(closeInspector && {
					closeInspector: () =>
						new Promise((resolve) => {
							inspectorClosed = () => {
								inspectorsClosed++;
								resolve();
							};
							process.channel.send({ closeInspector: true }, () => {});
						}),
				}),
				shutdown: () =>
					new Promise((resolve, reject) => {
						process.channel.send({ shutdown: true }, (error) => {
							if (error) reject(error);
						});
						void bye.then(resolve);
					}),
				closed: () => {},
			};
		},
		...rest,
		spec: {
			id: 'test',
			file: fixture('child.cjs'),
			...spec,
			env: { PATH: process.env.PATH ?? '', ...(doFirst ? { DO: doFirst } : {}), ...spec?.env },
		},
	});
	child.on('exited', (report) => exits.push(report));
	child.on('spawned', ({ pid }) => pids.push(pid));
	onTestFinished(() => child.stop({ graceMs: 0 }));
	return {
		child,
		process: () => current as ChildHandle,
		run: (script) => {
			current?.channel.send({ do: script }, () => {});
		},
		messages,
		pongs: () => pongs,
		inspectorsClosed: () => inspectorsClosed,
		exits,
		pids,
	};
}

/** A child that is ready. */
export async function started(options: Parameters<typeof realChild>[0] = {}): Promise<RealChild> {
	const made = realChild(options);
	made.child.start();
	await event(made.child, 'ready');
	return made;
}

/** Resolves with the event's payload. */
export async function event<K extends keyof SupervisedChildEvents>(
	child: SupervisedChild,
	name: K,
): Promise<SupervisedChildEvents[K][0]> {
	const [payload] = await once(child as never, name as never);
	return payload as SupervisedChildEvents[K][0];
}
