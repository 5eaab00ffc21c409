// Leads TLS connections of this process to plain servers on this machine. `https`, fetch, undici and WebSockets all call
// `tls.connect`, also those in a bundle, so this reaches what no hook of a library does.
import { syncBuiltinESMExports } from 'node:module';
import { connect as connectPlain, type Socket } from 'node:net';
import tls from 'node:tls';

/** Where a connection to a host goes instead; undefined: where it was meant to. The path of the URL replaces the root in its first request. */
export type Detour = (host: string) => URL | undefined;

interface ConnectOptions {
	host?: string;
	servername?: string;
	/** A tunnel through a proxy. */
	socket?: { destroy(): unknown };
}

export function detourTls(detour: Detour): void {
	const connect = tls.connect as (...args: unknown[]) => unknown;
	tls.connect = function connectOrDetour(...args: unknown[]): unknown {
		const options = optionsOf(args);
		const host = options.servername || options.host;
		const target = host === undefined ? undefined : detour(host.toLowerCase());
		if (!target) return Reflect.apply(connect, tls, args);
		options.socket?.destroy();
		const callback = args.at(-1);
		return connectTo(target, typeof callback === 'function' ? (callback as () => void) : undefined);
	} as typeof tls.connect;
	syncBuiltinESMExports();
}

/** Of `(options)` and of `(port, host, options)`. */
function optionsOf(args: readonly unknown[]): ConnectOptions {
	const host = args.find((argument) => typeof argument === 'string');
	const options = args.find((argument) => typeof argument === 'object' && argument !== null);
	return { ...(host === undefined ? {} : { host }), ...options };
}

/** A plain socket that its user takes for a secure one. */
function connectTo(target: URL, onSecure: (() => void) | undefined): Socket {
	const socket = connectPlain({ host: target.hostname.replace(/^\[|\]$/g, ''), port: Number(target.port) });
	socket.once('connect', () => socket.emit('secureConnect'));
	if (onSecure) socket.once('secureConnect', onSecure);
	if (target.pathname !== '/') underPath(socket, target.pathname);
	return Object.assign(socket, { authorized: true, encrypted: true, alpnProtocol: false });
}

/** What is written first is the head of a request. */
function underPath(socket: Socket, path: string): void {
	const { write } = socket;
	socket.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
		socket.write = write;
		const head = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1');
		return Reflect.apply(write, socket, [Buffer.from(head.replace(' /', ` ${path}`), 'latin1'), ...rest.filter(isFunction)]);
	}) as Socket['write'];
}

function isFunction(value: unknown): boolean {
	return typeof value === 'function';
}
