// The configuration of a gateway process: from its environment, or, where the process was started before there was anything for it to hold,
// from the first message of its manager. Such a process has its connection to Redis by then.
import { type GatewayConfig, gatewayConfigVariable, type PassedGatewayConfig, type SpareGatewayConfig } from '@shardctl/core';
import type { ClusterSession } from './cluster-session.js';

export interface GatewayStart {
	readonly config: GatewayConfig;
	/** As a node of a cluster. Loaded only then. */
	openCluster(): Promise<ClusterSession | undefined>;
}

export async function gatewayStart(): Promise<GatewayStart> {
	const given = JSON.parse(process.env[gatewayConfigVariable] ?? 'null') as GatewayConfig | SpareGatewayConfig;
	const load = () => import('./cluster-session.js');
	if (!('follows' in given)) {
		const { cluster, snapshotDir } = given;
		return { config: given, openCluster: async () => cluster && (await load()).openClusterSession(cluster, snapshotDir) };
	}
	// What takes time is done when the configuration is there.
	const connected = load().then(({ connectTo, openClusterSession }) => {
		const redis = connectTo(given.redis);
		return (config: GatewayConfig) => config.cluster && openClusterSession(config.cluster, config.snapshotDir, redis);
	});
	const [config, open] = await Promise.all([passedConfig(), connected]);
	return { config, openCluster: async () => open(config) };
}

/** Without a manager there is nothing to wait for. */
function passedConfig(): Promise<GatewayConfig> {
	const end = () => process.exit(0);
	process.once('disconnect', end);
	// It may have gone before that listener was added, while this process was booting.
	if (!process.connected) end();
	return new Promise((resolve) => {
		const take = (message: Partial<PassedGatewayConfig> | null) => {
			const config = message?.shardctlGatewayConfig;
			if (!config) return;
			process.off('message', take);
			process.off('disconnect', end);
			resolve(config);
		};
		process.on('message', take);
	});
}
