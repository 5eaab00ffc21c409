// The keys of one cluster. All begin with `shardctl:<application id>:`, so that an access rule can be written for them, and two
// clusters of one bot on one Redis meet instead of running beside each other.

export interface ClusterKeys {
	/** Hash: identity of the engine, the last time a script saw, the end of the quiet period. */
	readonly engine: string;
	/** Hash: `d:<node>` deadline of the lease, `c:<node>` number of its renewals. */
	readonly nodes: string;
	/** Hash: `version`, `layout`, `reshard`, and `s:<session>` = owner, epoch, phase, target, engine that confirmed it. */
	readonly table: string;
	/** Hash: node → who it is, as JSON. */
	readonly members: string;
	/** Hash: session → what the next owner needs to RESUME, as JSON. */
	readonly records: string;
	/** Hash: identify slots, the requests for one, and the budget of the day. */
	readonly identify: string;
	/** Hash: which part of the global REST limit each node may use. */
	readonly restLimit: string;
	/** Channel: something about the identify slots has changed. */
	readonly identifyChanged: string;
	/** Channel: who owns what has changed; carries the node that changed it. A hint, which may be lost. */
	readonly tableChanged: string;
	/** Index (hash) of what is saved for a scope. */
	snapshots(scope: string): string;
	/** Prefix of the lists with the content. */
	snapshotData(scope: string): string;
	/** Channel on which a node receives messages. */
	inbox(node: string): string;
}

export function clusterKeys(applicationId: string): ClusterKeys {
	const prefix = `shardctl:${applicationId}`;
	return {
		engine: `${prefix}:engine`,
		nodes: `${prefix}:nodes`,
		table: `${prefix}:table`,
		members: `${prefix}:members`,
		records: `${prefix}:records`,
		identify: `${prefix}:identify`,
		restLimit: `${prefix}:rest`,
		identifyChanged: `${prefix}:identify:changed`,
		tableChanged: `${prefix}:table:changed`,
		snapshots: (scope) => `${prefix}:saved:${scope}`,
		snapshotData: (scope) => `${prefix}:saved:${scope}:`,
		inbox: (node) => `${prefix}:inbox:${node}`,
	};
}
