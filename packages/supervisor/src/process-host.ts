// Children that are processes: forking a node module or starting another program, signals, and ending what a process leaves behind.
import { type ChildProcess, fork, type SpawnOptions, spawn } from 'node:child_process';
import inspector from 'node:inspector';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ChildChannel, ChildExit, ChildHandle, ChildOutput, ProcessHost } from './child-handle.js';
import type { ChildSpec, NodeChildSpec } from './child-spec.js';
import type { DebuggerWatch } from './debugger-watch.js';
import { asksForInspector, withInspectPort } from './inspect-port.js';
import { OomKillCounter } from './oom-kills.js';
import { endProcessGroup, signalProcess, signalProcessGroup, signalProgram } from './process-group.js';
import { defaultReceiveLimit, limitReceiving } from './receive-limit.js';
import { hasClient, listensOn } from './tcp-ports.js';

/** The operating system. */
export function createProcessHost(): ProcessHost {
	const oomKills = new OomKillCounter();
	return {
		start(spec) {
			oomKills.forget();
			return new ProcessHandle(startProcess(spec), spec);
		},
		claimOomKill: () => oomKills.claim(),
	};
}

/** One for the whole process, because the kernel's counter that it watches is. */
export const defaultProcessHost: ProcessHost = createProcessHost();

function startProcess(spec: ChildSpec): ChildProcess {
	const options = {
		env: spec.env,
		// A group of its own: a terminal's Ctrl-C reaches the owner alone, which then stops the children in order, and what
		// a child leaves behind can be ended with it. A child must itself notice when its channel closes.
		// On Windows it would mean a console window, and there are no groups.
		detached: process.platform !== 'win32',
		...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
	};
	// Standard input is open and silent, as in a terminal without input: a program that reads it does not see its end, which
	// many take for the wish to exit. It closes with this process.
	const stdio: SpawnOptions['stdio'] = ['pipe', 'pipe', 'pipe', 'ipc'];
	if (spec.command !== undefined) {
		const plain: SpawnOptions['stdio'] = spec.lines ? ['pipe', 'pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe'];
		return spawn(spec.command, spec.args ?? [], { ...options, stdio: spec.channel ? stdio : plain });
	}
	return fork(spec.file, spec.args ?? [], {
		...options,
		execArgv: execArgvFor(spec, inspector.url() ?? null),
		serialization: spec.serialization ?? 'json',
		stdio,
	});
}

class ProcessHandle implements ChildHandle {
	readonly pid: number | null;
	readonly channel: ChildChannel;
	readonly #child: ChildProcess;
	readonly lines: Duplex | null;
	readonly #canShowStack: boolean;
	readonly #isProgram: boolean;
	#startError: ((error: Error) => void) | undefined;

	constructor(child: ChildProcess, spec: ChildSpec) {
		this.#child = child;
		this.pid = child.pid ?? null;
		this.channel = new IpcChannel(child, spec);
		// Descriptors 0 to 2 are the standard streams.
		this.lines = spec.command !== undefined && spec.lines ? ((child.stdio[3] as Duplex | null | undefined) ?? null) : null;
		// A program that is gone leaves a broken stream, which its exit explains.
		this.lines?.on('error', () => {});
		this.#isProgram = spec.command !== undefined;
		// Windows has no SIGUSR1; it would end a program that is not node, or a node that was started not to handle it.
		this.#canShowStack =
			process.platform !== 'win32' && spec.command === undefined && !child.spawnargs.includes('--disable-sigusr1');
		// Nothing is written to it; the child may close its end.
		child.stdin?.on('error', () => {});
		// Also a child without a pid emits an error, which must find a listener. With one, a signal or a message could not be
		// delivered: its sender knows, and the exit reports the rest.
		child.on('error', (error) => {
			if (this.pid === null) this.#startError?.(error);
		});
	}

	get output(): ChildOutput {
		return this.#child;
	}

	onStartError(listener: (error: Error) => void): void {
		this.#startError = listener;
	}

	onExit(listener: (exit: ChildExit) => void): void {
		this.#child.once('exit', (code, signal) => {
			// A program that could not be executed "exits" with a negative code before it ever was a process.
			if (this.pid !== null) listener({ code, signal });
		});
	}

	signal(signal: NodeJS.Signals): boolean {
		return this.#isProgram ? signalProgram(this.#child, signal) : signalProcess(this.#child, signal);
	}

	kill(): void {
		signalProcessGroup(this.#child, 'SIGKILL');
	}

	endGroup(): Promise<void> {
		return this.pid === null ? Promise.resolve() : endProcessGroup(this.pid);
	}

	close(): void {
		this.#child.stdout?.destroy();
		this.#child.stderr?.destroy();
		this.lines?.destroy();
		if (this.#child.connected) this.#child.disconnect();
	}

	isDebugged(watch: DebuggerWatch): boolean {
		if (!watch.requested || watch.url === null || this.pid === null) return false;
		return hasClient(this.pid, portOf(watch.url)) ?? watch.attachedByText;
	}

	async hungStack(watch: DebuggerWatch, signal: AbortSignal): Promise<string[]> {
		const { pid } = this;
		if (!this.#canShowStack || pid === null) return [];
		// Only an inspector of this very process; one that was not requested listens on the loopback address.
		const accepts = (url: string) =>
			(watch.requested || url.startsWith('ws://127.0.0.1:')) && listensOn(pid, portOf(url)) !== false;
		const url = await watch.address(() => this.signal('SIGUSR1'), accepts, signal);
		if (url === null || signal.aborted) return [];
		// With a WebSocket client, which only this needs.
		const { hungStack } = await import('./hung-stack.js');
		return hungStack(url, signal);
	}
}

function portOf(url: string): number {
	return URL.canParse(url) ? Number(new URL(url).port) : 0;
}

/** Node's IPC channel to a child process. */
class IpcChannel implements ChildChannel {
	readonly #child: ChildProcess;
	readonly #exceeded = new AbortController();

	constructor(child: ChildProcess, spec: ChildSpec) {
		this.#child = child;
		if (spec.command !== undefined || spec.serialization !== 'advanced')
			limitReceiving(child, defaultReceiveLimit, () => this.#exceeded.abort());
	}

	onTooLarge(listener: () => void): void {
		this.#exceeded.signal.addEventListener('abort', listener, { once: true });
	}

	get connected(): boolean {
		return this.#child.connected;
	}

	send(message: unknown, done: (error: Error | null) => void): boolean {
		// Node adds `send` only where there is a channel.
		if (typeof this.#child.send !== 'function') {
			process.nextTick(done, new Error('the process has no message channel'));
			return false;
		}
		return this.#child.send(message as never, done);
	}

	sendSocket(message: unknown, socket: Socket, done: (error: Error | null) => void): void {
		if (typeof this.#child.send !== 'function') process.nextTick(done, new Error('the process has no message channel'));
		// Kept open: node forgets to close a socket that was on its way to a process which dies.
		else this.#child.send(message as never, socket, { keepOpen: true }, done);
	}

	on(event: 'message' | 'disconnect', listener: (message: unknown) => void): void {
		this.#child.on(event, listener);
	}
}

/** The child's flags for node; `ownInspector` is the address of this process's inspector, where it has one. */
export function execArgvFor(spec: NodeChildSpec, ownInspector: string | null): string[] {
	const ownPort = ownInspector === null ? null : Number(new URL(ownInspector).port);
	const execArgv = withInspectPort(spec.execArgv ?? [], spec.ordinal ?? 0, ownPort);
	const has = (flag: RegExp) => execArgv.some((arg) => flag.test(arg));
	// Neither flag opens anything. They say that an inspector woken later (see hung-stack.ts) takes any free port, and that its address,
	// which holds a random id, is written to standard error only: with node's default, every local user can ask the port for it.
	if (!has(/^--(?:inspect(?!-publish-uid)|debug-port)/)) execArgv.push('--inspect-port=0');
	if (!has(/^--inspect-publish-uid/) && !asksForInspector(spec)) execArgv.push('--inspect-publish-uid=stderr');
	return execArgv;
}
