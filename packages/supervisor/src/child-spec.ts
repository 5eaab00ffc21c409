// What to run, as plain data, and how it becomes the arguments of a fork. Nothing here starts a process.

/** A child process as data: everything that is needed to start it again in the same way. */
export interface ChildSpec {
	/** Names the child in reports; not interpreted. */
	id: string;
	/** The module that the child runs. */
	file: string;
	args?: string[];
	/** Flags for node (default none: the owner's own are not inherited). `--inspect` ports are moved by {@link ordinal}. */
	execArgv?: string[];
	/** The child's whole environment; nothing is added to it but what node itself needs for the channel. */
	env: Record<string, string>;
	cwd?: string;
	/** A number of its own among its owner's children (default 0): `--inspect=9229` becomes port 9229 + ordinal. */
	ordinal?: number;
	/** Codec of node's IPC channel (default `json`). */
	serialization?: 'json' | 'advanced';
}
