// What an examination may be asked for.

export interface DoctorOptions {
	api?: string;
	tokenFile?: string;
	config?: string;
	shards?: number | 'auto';
	shardsPerWorker?: number | 'auto';
	/** Whether to run the bot file, without logging in. */
	import: boolean;
}
