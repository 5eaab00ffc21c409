import { expect, it } from 'vitest';
import { isLoggedError } from './logged-error.js';

it.each([
	['stderr', 'Error: the database is away'],
	['stderr', 'TypeError [ERR_INVALID_ARG_TYPE]: The "path" argument must be of type string'],
	['stderr', 'DiscordAPIError[50013]: Missing Permissions'],
	['stderr', 'command failed: RangeError: too far'],
	['stderr', 'Uncaught Error'],
	['stderr', '[ERROR] no connection'],
	['stdout', '[ERROR] no connection'],
	['stdout', 'error: no connection'],
	['stdout', 'Error: caught and written by console.log'],
	['stdout', '2026-11-30 04:00:00,123 ERROR no connection'],
	['stdout', '[04:00:00.123] FATAL (12): no connection'],
	['stdout', '\u001b[31merror\u001b[39m: no connection'],
	['stdout', '{"level":50,"time":1,"msg":"no connection"}'],
	['stdout', '{"message":"no connection","level":"error"}'],
	['stdout', '{"severity":"ERROR","message":"no connection"}'],
] as const)('%s: %s', (stream, line) => {
	expect(isLoggedError(stream, line)).toBe(true);
});

it.each([
	['stderr', '    at connect (/srv/bot/db.js:4:9)'],
	['stderr', "  code: 'ERR_INVALID_ARG_TYPE'"],
	['stderr', '  [cause]: Error: refused'],
	['stderr', '(node:12) Warning: a setting is deprecated'],
	['stderr', 'debug: 0 errors so far'],
	['stdout', 'registered the command /error'],
	['stdout', '{"level":30,"msg":"error rate 0"}'],
	['stdout', 'errors: 0'],
] as const)('no error in %s: %s', (stream, line) => {
	expect(isLoggedError(stream, line)).toBe(false);
});
