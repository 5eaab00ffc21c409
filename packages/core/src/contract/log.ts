// A line of a bot's output, as the control API and the dashboard show it. Types only.

export interface LogEntry {
	/** Epoch ms. */
	at: number;
	workerId: number;
	shardIds: readonly number[];
	/** The process that wrote it. */
	pid: number | null;
	stream: 'stdout' | 'stderr';
	line: string;
	/** In a cluster: the node that has it. */
	node?: string | undefined;
}
