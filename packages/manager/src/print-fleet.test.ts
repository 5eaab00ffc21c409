// A2 of the operator's findings: a program with its own manager script sees what its bots print, and why they exit.
import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { ShardManagerEvents } from './events.js';
import { printFleet } from './print-fleet.js';

function printed() {
	const manager = new EventEmitter<ShardManagerEvents>();
	const lines: string[] = [];
	const to = (name: string) => ({ write: (text: string) => void lines.push(`${name}: ${text}`) });
	const log = (level: string) => (_fields: object, text: string) => void lines.push(`${level}: ${text}`);
	printFleet(manager as never, { warn: log('warn'), error: log('error') } as never, { stdout: to('out'), stderr: to('err') });
	return { manager, lines };
}

const worker = { workerId: 1, shardIds: [2, 3] };

it('prints each line of a bot to the stream it was written to, with the shards of its worker', () => {
	const { manager, lines } = printed();
	manager.emit('worker:log', { ...worker, pid: 7, stream: 'stdout', line: 'ready' });
	manager.emit('worker:log', { ...worker, pid: 7, stream: 'stderr', line: 'sum' });
	expect(lines).toEqual(['out: [2-3] ready\n', 'err: [2-3] sum\n']);
});

it('logs why a worker exited and that it keeps failing, and no requested exit', () => {
	const { manager, lines } = printed();
	manager.emit('worker:exited', { ...worker, report: { reason: 'uncaught-exception', message: 'Error: boom' } as never });
	manager.emit('worker:exited', { ...worker, report: { reason: 'requested', message: 'stopped' } as never });
	manager.emit('worker:failed', { ...worker, reason: 'Error: boom', retryInMs: 1000 });
	expect(lines).toEqual([
		'warn: worker 1 (shards 2-3) exited: Error: boom',
		'error: worker 1 (shards 2-3) keeps failing: Error: boom',
	]);
});
