// The seam between the machine of one child and the operating system: forking, signals, and ending what a child leaves behind.
// The machine is tested on a host that starts nothing.
import { type ChildProcess, fork } from 'node:child_process';
import inspector from 'node:inspector';
import type { ChildSpec } from './child-spec.js';
import type { DebuggerWatch } from './debugger-watch.js';
import { hungStack } from './hung-stack.js';
import { withInspectPort } from './inspect-port.js';
import { OomKillCounter } from './oom-kills.js';
import { endProcessGroup, signalProcess, signalProcessGroup } from './process-group.js';

export interface ProcessHost {
	/** Starts the process. May throw, or answer with a child that has no pid and emits `error`. */
	fork(spec: ChildSpec): ChildProcess;
	/** Signals the process itself; `false` when it is gone. */
	signal(child: ChildProcess, signal: NodeJS.Signals): boolean;
	/** Kills the process with everything it started that is still in its group. */
	kill(child: ChildProcess): void;
	/** Once the process has exited: kills what is left of its group and resolves when nothing of it is alive. */
	endGroup(pid: number): Promise<void>;
	/** The frames that a hung process is busy in, innermost first; empty when they cannot be had before the signal aborts. */
	hungStack(child: ChildProcess, inspector: DebuggerWatch, signal: AbortSignal): Promise<string[]>;
	/** Whether the kernel's out-of-memory killer ended a process that nobody has claimed yet; claims it. */
	claimOomKill(): boolean;
}

/** The machine itself. */
export function createProcessHost(): ProcessHost {
	const oomKills = new OomKillCounter();
	return {
		fork(spec) {
			oomKills.forget();
			return fork(spec.file, spec.args ?? [], {
				env: spec.env,
				execArgv: execArgvFor(spec, inspector.url() ?? null),
				// A group of its own: a terminal's Ctrl-C reaches the owner alone, which then stops the children in order, and what
				// a child leaves behind can be ended with it. A child must itself notice when its channel closes.
				// On Windows it would mean a console window, and there are no groups.
				detached: process.platform !== 'win32',
				serialization: spec.serialization ?? 'json',
				stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
				...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
			});
		},
		signal: signalProcess,
		kill: (child) => signalProcessGroup(child, 'SIGKILL'),
		endGroup: endProcessGroup,
		async hungStack(child, watch, signal) {
			// Windows has no such signal, and where node was told not to handle it, it would kill.
			if (process.platform === 'win32' || child.spawnargs.includes('--disable-sigusr1')) return [];
			const url = await Promise.race([watch.address(() => signalProcess(child, 'SIGUSR1')), aborted(signal)]);
			return url === null || signal.aborted ? [] : hungStack(url, signal);
		},
		claimOomKill: () => oomKills.claim(),
	};
}

/** One for the whole process, because the kernel's counter that it watches is. */
export const defaultProcessHost: ProcessHost = createProcessHost();

function aborted(signal: AbortSignal): Promise<null> {
	return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));
}

/** The child's flags for node; `ownInspector` is the address of this process's inspector, where it has one. */
export function execArgvFor(spec: ChildSpec, ownInspector: string | null): string[] {
	const ownPort = ownInspector === null ? null : Number(new URL(ownInspector).port);
	const execArgv = withInspectPort(spec.execArgv ?? [], spec.ordinal ?? 0, ownPort);
	const chosen = execArgv.some((arg) => /^--(inspect|debug-port)/.test(arg));
	// Opens nothing; it only says that an inspector woken later (see hung-stack.ts) takes any free port.
	return chosen ? execArgv : [...execArgv, '--inspect-port=0'];
}
