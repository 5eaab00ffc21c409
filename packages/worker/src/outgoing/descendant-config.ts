// What a worker passes on to the node processes and threads that its bot starts, in their environment.

/** Name of the environment variable that carries a {@link DescendantConfig} as JSON. */
export const descendantConfigVariable = 'SHARDCTL_DESCENDANT';

export interface DescendantConfig {
	/** Of a simulator: its origin, which serves the REST API and the gateway. */
	simulator?: string;
	/** Present until the bot has made a client: a process that logs in meanwhile is the bot, and the bot file only starts it. */
	launcher?: Launcher;
}

export interface Launcher {
	/** Name of the bot file. */
	file: string;
	/** The folder that the manager runs the bot in. */
	cwd: string;
	/** Precedes the line that reports the login. */
	mark: string;
}
