import { describe, expect, it } from 'vitest';
import { execArgvFor } from './process-host.js';

const spec = { id: 'test', file: 'bot.js', env: {} };

describe('execArgvFor', () => {
	it('lets an inspector that is woken later take any free port, and opens none', () => {
		expect(execArgvFor(spec, null)).toEqual(['--inspect-port=0']);
		expect(execArgvFor({ ...spec, execArgv: ['--no-warnings'] }, null)).toEqual(['--no-warnings', '--inspect-port=0']);
	});

	it("gives each child a port of its own where one was asked for, and keeps off the owner's", () => {
		expect(execArgvFor({ ...spec, execArgv: ['--inspect'], ordinal: 2 }, null)).toEqual(['--inspect=9231']);
		expect(execArgvFor({ ...spec, execArgv: ['--inspect'], ordinal: 2 }, 'ws://127.0.0.1:9229/id')).toEqual(['--inspect=9232']);
	});
});
