// What a bot may not do while the doctor looks at its start: reach the network, open a port, start a process. Each attempt is reported. What
// it waits for then never happens, except that a process that is refused is an error, since its caller needs an answer at once.
import childProcess, { ChildProcess } from 'node:child_process';
import { Socket as DatagramSocket } from 'node:dgram';
import { syncBuiltinESMExports } from 'node:module';
import { Server, Socket } from 'node:net';
import { basename } from 'node:path';

/** What the bot tried. */
export type Attempt = { connects: string } | { starts: string };

/** The process in which tsx translates TypeScript. It ends with the bot's. */
const compiler = /[\\/]esbuild[\\/].*esbuild(?:\.exe)?$/;

export function closeWorld(report: (attempt: Attempt) => void): void {
	Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
		report({ connects: addressOf(args) });
		return this;
	} as Socket['connect'];
	DatagramSocket.prototype.send = (() => undefined) as DatagramSocket['send'];
	Server.prototype.listen = function (this: Server, ...args: unknown[]) {
		const callback = args.at(-1);
		if (typeof callback === 'function') this.once('listening', callback as () => void);
		process.nextTick(() => this.emit('listening'));
		return this;
	} as Server['listen'];
	const refuse = (file: unknown, args?: unknown): never => {
		const command = [file, ...(Array.isArray(args) ? args : [])].join(' ');
		report({ starts: command });
		throw Object.assign(new Error(`"shardctl doctor" starts no other process: ${command}`), { code: 'EACCES' });
	};
	// spawn, fork, exec and execFile all end up here.
	const { spawn } = ChildProcess.prototype as unknown as {
		spawn: (options: { file: string; args?: readonly string[] }) => unknown;
	};
	Object.assign(ChildProcess.prototype, {
		spawn(this: ChildProcess, options: { file: string; args?: readonly string[] }) {
			return compiler.test(options.file) ? spawn.call(this, options) : refuse(commandOf(options));
		},
	});
	Object.assign(childProcess, { spawnSync: refuse, execSync: refuse, execFileSync: refuse });
	syncBuiltinESMExports();
}

/** As one would type it: `fork` passes on what this process was started with. */
function commandOf({ file, args = [] }: { file: string; args?: readonly string[] }): string {
	return [basename(file), ...args.slice(1).filter((argument) => !process.execArgv.includes(argument))].join(' ');
}

/** `host:port`, or a path; `connect` takes its arguments also as one list. */
function addressOf([first, second]: unknown[]): string {
	const [target, host] = Array.isArray(first) ? (first as unknown[]) : [first, second];
	if (typeof target !== 'object' || target === null)
		return typeof host === 'string' ? `${host}:${String(target)}` : String(target);
	const { path, host: name = 'localhost', port } = target as { path?: string; host?: string; port?: number };
	return port === undefined && path !== undefined ? path : `${name}:${port}`;
}
