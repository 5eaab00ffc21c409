import { expect, it } from 'vitest';
import { ownCommand } from './own-command.js';

it.each([
	['/srv/my-bot/node_modules/.bin/shardctl', 'npx shardctl'],
	['/srv/my-bot/node_modules/shardctl/bin/shardctl.js', 'npx shardctl'],
	['/usr/local/bin/shardctl', 'shardctl'],
	['/srv/my-bot/apps/shardctl/bin/shardctl.js', 'node apps/shardctl/bin/shardctl.js'],
	['/opt/clone/apps/shardctl/bin/shardctl.js', 'node /opt/clone/apps/shardctl/bin/shardctl.js'],
	[undefined, 'shardctl'],
])('A9: of %s is %s', (script, command) => {
	expect(ownCommand({ script, cwd: '/srv/my-bot' })).toBe(command);
});
