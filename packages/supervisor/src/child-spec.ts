// What to run, as plain data. Nothing here starts a process.

interface CommonSpec {
	/** Names the child in reports; not interpreted. */
	id: string;
	args?: string[];
	/** The child's whole environment; only what node needs for the channel is added to it. */
	env: Record<string, string>;
	cwd?: string;
}

/** A node process, forked with a message channel. */
export interface NodeChildSpec extends CommonSpec {
	/** The module that the child runs. */
	file: string;
	command?: undefined;
	/** Flags for node (default none: the owner's own are not inherited). `--inspect` ports are moved by {@link ordinal}. */
	execArgv?: string[];
	/** A number of its own among its owner's children (default 0): `--inspect=9229` becomes port 9229 + ordinal. */
	ordinal?: number;
	/** Codec of node's IPC channel (default `json`). */
	serialization?: 'json' | 'advanced';
}

/** A program that is not node: looked up in the PATH of {@link CommonSpec.env}, started without a shell. */
export interface CommandChildSpec extends CommonSpec {
	command: string;
	file?: undefined;
	/**
	 * Whether the program speaks node's IPC protocol: one JSON text a line, on the file descriptor that `NODE_CHANNEL_FD` names
	 * (default `false`: it has no channel).
	 */
	channel?: boolean;
	/** Whether the program gets a stream of bytes both ways as its file descriptor 3 (default `false`); not together with a channel. */
	lines?: boolean;
}

/** A child as data: everything that is needed to start it again in the same way. */
export type ChildSpec = NodeChildSpec | CommandChildSpec;
