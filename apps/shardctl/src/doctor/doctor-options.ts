// What an examination may be asked for.

export interface DoctorOptions {
	api?: string;
	tokenFile?: string;
	config?: string;
	interpreter?: string;
	workerMode?: 'process' | 'thread';
	shards?: number | 'auto';
	shardsPerWorker?: number | 'auto';
	/** The Redis of a cluster, and files in PEM for `rediss://`. */
	cluster?: string;
	clusterCa?: string;
	clusterCert?: string;
	clusterKey?: string;
	lease?: number;
	/** For `start --simulate`: neither a token nor Discord is needed. */
	simulate?: boolean;
	/** Whether to run the bot file, without logging in. */
	import: boolean;
}
