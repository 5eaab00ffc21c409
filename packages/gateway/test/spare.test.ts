// A gateway process whose configuration follows, as a node of a cluster keeps them ready.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { gatewayConfigVariable, type SpareGatewayConfig } from '@shardctl/core';
import { expect, it, onTestFinished } from 'vitest';

const processFile = fileURLToPath(import.meta.resolve('@shardctl/gateway/process'));

it('ends when its manager was gone before it had booted', async () => {
	// It connects to no Redis: what matters is that it does not live on for its connection.
	const config: SpareGatewayConfig = { follows: true, redis: { url: 'redis://127.0.0.1:1' } };
	const child = fork(processFile, { env: { ...process.env, [gatewayConfigVariable]: JSON.stringify(config) }, stdio: 'ignore' });
	onTestFinished(() => void child.kill('SIGKILL'));
	child.disconnect();
	expect(await once(child, 'exit')).toEqual([0, null]);
});
