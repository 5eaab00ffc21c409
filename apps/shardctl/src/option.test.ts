import { expect, it } from 'vitest';
import { option, unsetFlags } from './option.js';

it('names the environment variable after the option', () => {
	expect(option('-w, --shards-per-worker <count>', '').envVar).toBe('SHARDCTL_SHARDS_PER_WORKER');
	expect(option('--no-respawn', '').envVar).toBe('SHARDCTL_NO_RESPAWN');
	expect(option('--port <port>', '', 'SIMULATE').envVar).toBe('SHARDCTL_SIMULATE_PORT');
});

it('treats a flag whose variable is false as not set, and leaves other values unchanged', () => {
	const options = [option('--detach', ''), option('--json', ''), option('--simulate [guilds]', ''), option('--port <port>', '')];
	const env = { SHARDCTL_DETACH: '0', SHARDCTL_JSON: '1', SHARDCTL_SIMULATE: 'false', SHARDCTL_PORT: '0' };
	expect(unsetFlags(options, env)).toEqual(['SHARDCTL_DETACH', 'SHARDCTL_SIMULATE']);
});
