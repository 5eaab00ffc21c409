// The configuration of a gateway process: from its environment, or, where the process was started before there was anything for it to hold,
// from the first message of its manager.
import { type GatewayConfig, gatewayConfigFollows, gatewayConfigVariable, type PassedGatewayConfig } from '@shardctl/core';

export async function gatewayConfig(): Promise<GatewayConfig> {
	const given = process.env[gatewayConfigVariable];
	if (given !== gatewayConfigFollows) return JSON.parse(given ?? 'null') as GatewayConfig;
	// What takes time to load is there when the configuration is.
	const [config] = await Promise.all([passedConfig(), import('./cluster-session.js')]);
	return config;
}

/** Without a manager there is nothing to wait for. */
function passedConfig(): Promise<GatewayConfig> {
	const end = () => process.exit(0);
	process.once('disconnect', end);
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
