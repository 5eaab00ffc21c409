import { expect, it } from 'vitest';
import { childEnvironment } from './child-environment.js';

it('copies an environment with changes, and modifies neither', () => {
	const inherited = { PATH: '/bin', SHARDS: 'old', EMPTY: '', GONE: undefined };
	const changes = { SHARDS: '[0]', PATH: undefined };
	expect(childEnvironment(inherited, changes)).toEqual({ SHARDS: '[0]', EMPTY: '' });
	expect(inherited).toEqual({ PATH: '/bin', SHARDS: 'old', EMPTY: '', GONE: undefined });
});
