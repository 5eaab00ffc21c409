import { describe, expect, it } from 'vitest';
import { classifyExit, type ExitEvidence } from './exit-reason.js';

const quiet: ExitEvidence = {
	code: 0,
	signal: null,
	verdict: null,
	verdictDetail: undefined,
	spawnError: undefined,
	kernelOutOfMemory: false,
	stderrTail: [],
	pid: 4711,
	uptimeMs: 12_340,
	wasReady: true,
};

const thrown = `/bot/index.js:12
function explode() { throw new TypeError('boom') }
                     ^

TypeError: boom
with a second line
    at explode (/bot/index.js:12:28)
    at Object.<anonymous> (/bot/index.js:14:1) {
  code: 'E_BOOM'
}

Node.js v20.20.2`.split('\n');

const thrownString = [
	'[eval]:1',
	"throw 'str'",
	'^',
	'str',
	'(Use `node --trace-uncaught ...` to show where the exception was thrown)',
	'',
	'Node.js v22.1.0',
];

const heapLimit = [
	'[5738:0x2e0b0d0]       82 ms: Mark-Compact 23.7 (25.4) -> 23.7 (25.4) MB',
	'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
	'----- Native stack trace -----',
];

describe('classifyExit', () => {
	it.each<[string, Partial<ExitEvidence>, string, string]>([
		['a clean exit', {}, 'clean', 'process 4711 ended by itself (exit code 0, after 12.3 s)'],
		['an exit code', { code: 3 }, 'exit-code', 'process 4711 failed (exit code 3, after 12.3 s)'],
		[
			'an exit code that node explains',
			{ code: 13 },
			'exit-code',
			'process 4711 failed: a top-level await never settled (exit code 13, after 12.3 s)',
		],
		['a signal', { code: null, signal: 'SIGKILL' }, 'signal', 'process 4711 was killed by SIGKILL (after 12.3 s)'],
		[
			'an uncaught exception',
			{ code: 1, stderrTail: thrown },
			'uncaught-exception',
			"process 4711 died of an uncaught exception: TypeError: boom, at /bot/index.js:12:28: function explode() { throw new TypeError('boom') } (exit code 1, after 12.3 s)",
		],
		[
			'a thrown string',
			{ code: 1, stderrTail: thrownString },
			'uncaught-exception',
			"process 4711 died of an uncaught exception: str, at [eval]:1: throw 'str' (exit code 1, after 12.3 s)",
		],
		[
			'an error that was only logged before the exit',
			{ code: 1, stderrTail: ['TypeError: boom', '    at explode (/bot/index.js:12:28)'] },
			'exit-code',
			'process 4711 failed (exit code 1, after 12.3 s)',
		],
		[
			'the heap limit',
			{ code: null, signal: 'SIGABRT', stderrTail: heapLimit },
			'out-of-memory',
			'process 4711 ran into its JavaScript heap limit (SIGABRT, after 12.3 s)',
		],
		[
			'the heap limit seen through a shell',
			{ code: 134, stderrTail: heapLimit },
			'out-of-memory',
			'process 4711 ran into its JavaScript heap limit (exit code 134, after 12.3 s)',
		],
		[
			'an abort for another cause',
			{ code: null, signal: 'SIGABRT' },
			'signal',
			'process 4711 was killed by SIGABRT (after 12.3 s)',
		],
		[
			"the kernel's out-of-memory killer",
			{ code: null, signal: 'SIGKILL', kernelOutOfMemory: true },
			'out-of-memory',
			"process 4711 was killed by the kernel's out-of-memory killer (SIGKILL, after 12.3 s)",
		],
		[
			'a hang that we ended',
			{ code: null, signal: 'SIGKILL', verdict: 'hung', verdictDetail: 'hung for 30000 ms' },
			'hung',
			'process 4711 hung for 30000 ms (SIGKILL, after 12.3 s)',
		],
		[
			'a requested stop, whatever the exit code',
			{ code: 1, stderrTail: thrown, verdict: 'requested' },
			'requested',
			'process 4711 was stopped as requested (exit code 1, after 12.3 s)',
		],
		[
			'a process that was never ready',
			{ code: 1, wasReady: false, uptimeMs: 80 },
			'exit-code',
			'process 4711 failed (exit code 1, before it was ready, after 80 ms)',
		],
		[
			'an error of a limit of the system, with what to do',
			{
				code: 1,
				stderrTail: [
					'Error: connect EADDRNOTAVAIL 127.0.0.1:40000 - Local (0.0.0.0:0)',
					'    at x (node:net:1:1)',
					'Node.js v20.20.2',
				],
			},
			'uncaught-exception',
			'process 4711 died of an uncaught exception: Error: connect EADDRNOTAVAIL 127.0.0.1:40000 - Local (0.0.0.0:0) (exit code 1, after 12.3 s); ' +
				'no local port is free: find what keeps so many connections open (ss -s), or widen the range (sysctl net.ipv4.ip_local_port_range)',
		],
		[
			'a limit on the address space',
			{
				code: null,
				signal: 'SIGTRAP',
				stderrTail: ['#', '# Fatal process OOM in Failed to reserve virtual memory for CodeRange', '#'],
			},
			'out-of-memory',
			expect.stringMatching(
				/^process 4711 could not run: Fatal process OOM .*; the address space is limited.*ulimit -v unlimited/,
			) as never,
		],
		[
			'a limit of which a bot only wrote',
			{ code: 1, stderrTail: ['Error: spawn x EAGAIN, EMFILE'] },
			'exit-code',
			'process 4711 failed (exit code 1, after 12.3 s)',
		],
		[
			'no process for want of a process id',
			{ code: null, spawnError: 'spawn node EAGAIN', pid: null },
			'spawn-failed',
			expect.stringContaining('spawn node EAGAIN; no further process or thread may be started') as never,
		],
		[
			'no process at all',
			{ code: null, spawnError: 'spawn node ENOENT', pid: null },
			'spawn-failed',
			'the process could not be started: spawn node ENOENT',
		],
	])('recognises %s', (_what, evidence, reason, message) => {
		expect(classifyExit({ ...quiet, ...evidence })).toEqual({ reason, message });
	});
});
