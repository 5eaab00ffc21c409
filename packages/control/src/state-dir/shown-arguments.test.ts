import { expect, it } from 'vitest';
import { shownArguments } from './shown-arguments.js';

it.each<[string[], string[]]>([
	[
		['start', 'bot.js', '--shards', '4', '--token-file', '/run/token'],
		['start', 'bot.js', '--shards', '4', '--token-file', '/run/token'],
	],
	[
		['start', '--cluster', 'redis://user:pass@10.0.0.5:6379/0'],
		['start', '--cluster', 'redis://user:***@10.0.0.5:6379/0'],
	],
	[['--cluster=rediss://:p@ss:w@host'], ['--cluster=rediss://:***@host']],
	[
		['--cluster', 'redis://10.0.0.5:6379'],
		['--cluster', 'redis://10.0.0.5:6379'],
	],
	[
		['--control-token', 'abcdef', 'x'],
		['--control-token', '***', 'x'],
	],
	[['--control-token=abcdef'], ['--control-token=***']],
	[
		['--', '--db-password', 'x', '--verbose'],
		['--', '--db-password', '***', '--verbose'],
	],
	[
		['--api-key', '--verbose'],
		['--api-key', '--verbose'],
	],
	[['MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.abcdefghijklmnopqrstuvwxyz0'], ['***']],
	[[], []],
])('%j', (given, shown) => {
	expect(shownArguments(given)).toEqual(shown);
});
