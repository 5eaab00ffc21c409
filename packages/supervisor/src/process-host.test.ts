import { describe, expect, it } from 'vitest';
import { execArgvFor } from './process-host.js';

const spec = { id: 'test', file: 'bot.js', env: {} };

describe('execArgvFor', () => {
	const closed = ['--inspect-port=0', '--inspect-publish-uid=stderr'];

	it('lets an inspector that is opened later use any free port, prints its address on standard error only, and opens none', () => {
		expect(execArgvFor(spec, null)).toEqual(closed);
		expect(execArgvFor({ ...spec, execArgv: ['--no-warnings'] }, null)).toEqual(['--no-warnings', ...closed]);
		expect(execArgvFor({ ...spec, execArgv: ['--inspect-port=5000'] }, null)).toEqual(['--inspect-port=5000', closed[1]]);
	});

	it('leaves an inspector that a user asked for unchanged, so that other tools find it', () => {
		expect(execArgvFor({ ...spec, env: { NODE_OPTIONS: '--no-warnings --inspect' } }, null)).toEqual(['--inspect-port=0']);
		expect(execArgvFor({ ...spec, env: { VSCODE_INSPECTOR_OPTIONS: '{}' } }, null)).toEqual(['--inspect-port=0']);
		expect(execArgvFor({ ...spec, execArgv: ['--inspect-publish-uid=http'] }, null)).toEqual([
			'--inspect-publish-uid=http',
			'--inspect-port=0',
		]);
	});

	it("gives each child its own port when one was requested, and avoids the owner's", () => {
		expect(execArgvFor({ ...spec, execArgv: ['--inspect'], ordinal: 2 }, null)).toEqual(['--inspect=9231']);
		expect(execArgvFor({ ...spec, execArgv: ['--inspect'], ordinal: 2 }, 'ws://127.0.0.1:9229/id')).toEqual(['--inspect=9232']);
	});
});
