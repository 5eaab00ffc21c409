import { expect, it } from 'vitest';
import { threadAdvice } from './thread-advice.js';

it.each([
	['TypeError [ERR_WORKER_UNSUPPORTED_OPERATION]: process.chdir() is not supported in workers', 'process.chdir()'],
	['TypeError: process.send is not a function', 'parentPort'],
	["Error: Module did not self-register: '/bot/node_modules/old/build/Release/old.node'.", 'a native addon'],
])('advises processes after "%s"', (line, what) => {
	expect(threadAdvice(['before', line])).toContain(what);
	expect(threadAdvice([line])).toContain('--worker-mode process');
});

it('says nothing of other errors', () => {
	expect(threadAdvice(['TypeError: boom', '    at /bot/index.js:1:1'])).toBeUndefined();
});
