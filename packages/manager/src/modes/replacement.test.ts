import { EventEmitter } from 'node:events';
import { ShardctlError } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { Replacement, type ReplacementOptions } from './replacement.js';

/** The parts of a worker that its replacement needs. */
class ScriptedWorker extends EventEmitter {
	readonly label: string;
	readonly did: string[];
	readonly child: EventEmitter & { state: string; stop(options?: object): Promise<void> };
	version = { canRevert: false };
	/** The result of a ping. */
	answer: () => Promise<void> = async () => {};

	constructor(name: string, did: string[]) {
		super();
		this.label = name;
		this.did = did;
		this.child = Object.assign(new EventEmitter(), {
			state: 'ready',
			stop: async (options: object = {}) => void did.push(`stop ${name} ${JSON.stringify(options)}`),
		});
	}

	request(): Promise<void> {
		return this.answer();
	}

	exit(message = 'it died', reason = 'exit-code'): void {
		this.child.emit('exited', { message, reason });
	}
}

function make(how: { kept?: boolean; hasToStart?: boolean; fails?: 'bringBack' | 'startAgain' } = {}) {
	const did: string[] = [];
	const failures: string[] = [];
	const errors: string[] = [];
	const successor = new ScriptedWorker('new', did);
	const old = new ScriptedWorker('old', did);
	const step = async (name: 'bringBack' | 'startAgain') => {
		did.push(name);
		if (how.fails === name) throw new ShardctlError('WORKER_NOT_READY', 'it did not log in again');
	};
	const options: ReplacementOptions = {
		successor: successor as unknown as ManagedWorker,
		old: how.kept === false ? null : (old as unknown as ManagedWorker),
		hasToStart: how.hasToStart ?? false,
		bringBack: () => step('bringBack'),
		startAgain: () => step('startAgain'),
		beginTrial: () => {
			did.push('trial');
			return () => void did.push('trial over');
		},
		onOver: () => void did.push('over'),
	};
	const replacement = new Replacement(options);
	const watch = () => replacement.watch({ onFailure: (reason) => failures.push(reason), onError: (line) => errors.push(line) });
	return { replacement, successor, old, did, failures, errors, watch };
}

describe('a replacement', () => {
	it('that is released ends the old process', async () => {
		const { replacement, did } = make();
		await replacement.release();
		await replacement.over;
		expect(did).toEqual(['trial', 'trial over', 'stop old {}', 'over']);
		expect(await replacement.undo()).toBe('new');
		expect(did).toHaveLength(4);
	});

	it('that is undone makes the old process the worker again', async () => {
		const { replacement, did } = make();
		expect(await replacement.undo()).toBe('resumed');
		await replacement.over;
		expect(did).toEqual(['trial', 'trial over', 'bringBack', 'over']);
	});

	it('reports an exit at once, also one before it was watched, and prevents another start of the new version', () => {
		const { replacement, successor, did, failures, watch } = make();
		successor.exit('it died');
		successor.exit('it died again');
		watch();
		expect(failures).toEqual(['it died']);
		expect(replacement.wasReady).toBe(true);
		expect(did).toContain('stop new {"graceMs":0}');
	});

	it('reports a final close with its reason, and a worker that failed for good', () => {
		const first = make();
		first.watch();
		first.successor.emit('shard.status', { shardId: 0, status: 'disconnected', closeCode: 4014 });
		expect(first.failures[0]).toMatch(/^shard 0 was closed with 4014: a privileged intent .*; enable it/);
		const second = make();
		second.watch();
		second.successor.emit('shard.status', { shardId: 0, status: 'reconnecting', closeCode: 4000 });
		second.successor.child.emit('failed', { reason: 'the file starts a ShardingManager' });
		expect(second.failures).toEqual(['the file starts a ShardingManager']);
	});

	it('forwards what the new process logs as an error', () => {
		const { successor, errors, watch } = make();
		watch();
		successor.child.emit('log', { stream: 'stderr', line: 'Error: no' });
		successor.child.emit('log', { stream: 'stdout', line: 'all is well' });
		expect(errors).toEqual(['Error: no']);
	});

	it('fails when the new process does not respond, and ends it at once', async () => {
		const { replacement, successor, did, failures, watch } = make();
		watch();
		const { signal } = new AbortController();
		await replacement.prove(4000, signal);
		expect(failures).toEqual([]);
		successor.answer = async () => {
			throw new ShardctlError('CHANNEL_CLOSED', 'its exit follows');
		};
		await replacement.prove(4000, signal);
		expect(failures).toEqual([]);
		successor.answer = async () => {
			throw new ShardctlError('CALL_TIMEOUT', 'late');
		};
		await replacement.prove(4000, signal);
		expect(failures).toEqual(['it has not answered for 4 s: something blocks its event loop']);
		expect(did).toContain('stop new {"graceMs":0}');
	});

	it('whose old process could not be kept, or has exited, is started again by its path', async () => {
		for (const prepare of [
			() => make({ kept: false }),
			() => {
				const made = make();
				made.old.child.state = 'backing-off';
				return made;
			},
		]) {
			const { replacement, successor, did } = prepare();
			successor.exit();
			expect(await replacement.undo()).toBe('same-path');
			expect(did.slice(-2)).toEqual(['startAgain', 'over']);
		}
	});

	it('with files of the old version starts those, also where the new version runs', async () => {
		const { replacement, successor, did } = make({ kept: false });
		successor.version.canRevert = true;
		expect(await replacement.undo()).toBe('restarted');
		expect(did).toContain('startAgain');
	});

	it('keeps a running new version when there is no other', async () => {
		const { replacement, did } = make({ kept: false });
		expect(await replacement.undo()).toBe('new');
		expect(did).toEqual(['trial', 'trial over', 'over']);
	});

	it('whose old process must end first does not treat that as a failure, and knows when the new one is ready', () => {
		const { replacement, successor, failures, watch } = make({ kept: false, hasToStart: true });
		watch();
		successor.exit('was replaced: deploy', 'requested');
		expect([failures, replacement.wasReady]).toEqual([[], false]);
		successor.child.emit('ready');
		expect(replacement.wasReady).toBe(true);
	});

	it.each(['bringBack', 'startAgain'] as const)('reports a failure of %s, and ends', async (fails) => {
		const { replacement, successor, did } = make({ fails, kept: fails === 'bringBack' });
		if (fails === 'startAgain') successor.exit();
		await expect(replacement.undo()).rejects.toMatchObject({
			code: 'WORKER_NOT_READY',
			message: 'new could not be brought back: it did not log in again',
		});
		expect(did.at(-1)).toBe('over');
	});
});
