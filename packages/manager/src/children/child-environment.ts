// The environment of a child process: a copy of an inherited one with changes on top. The manager's own is never changed.

type Environment = Readonly<Record<string, string | undefined>>;

/** Signs the messages between managers, which no child sends. */
export const withoutClusterSecret: Environment = { SHARDCTL_CLUSTER_SECRET: undefined };
/** What a process of shardctl needs of the cluster is in its configuration. */
export const withoutCluster: Environment = { ...withoutClusterSecret, SHARDCTL_CLUSTER: undefined };

/** Later sources win; a variable whose value is undefined is left out. */
export function childEnvironment(...sources: readonly Environment[]): Record<string, string> {
	const result: Record<string, string> = {};
	for (const [name, value] of Object.entries(Object.assign({}, ...sources) as Environment)) {
		if (value !== undefined) result[name] = value;
	}
	return result;
}
