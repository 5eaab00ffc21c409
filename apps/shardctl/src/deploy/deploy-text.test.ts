import type { DeployStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import { deployLine, stageText } from './deploy-text.js';

const running: DeployStats & { queued: number } = {
	id: 3,
	state: 'replacing',
	stage: 'waiting for the new process to log in',
	workerId: 0,
	shardIds: [0, 1],
	stageMs: 12_300,
	startedAt: 1_000_000,
	tookMs: 20_000,
	done: 0,
	total: 4,
	error: null,
	queued: 0,
};
const minute = 60_000;
const ended = running.startedAt + running.tookMs;

it('A7: names the worker, the stage, its duration and the progress of the deploy', () => {
	expect(stageText(running)).toBe('worker 0: waiting for the new process to log in, 12 s (0 of 4 replaced)');
	expect(stageText({ ...running, workerId: null, stage: 'bringing the old version back', stageMs: 400, done: 2 })).toBe(
		'bringing the old version back (2 of 4 replaced)',
	);
});

it('shows a running deploy, and the queued ones', () => {
	const text = 'deploy 3: worker 0: waiting for the new process to log in, 12 s (0 of 4 replaced)';
	expect(deployLine(running, ended)).toEqual({ level: 'running', text });
	expect(deployLine({ ...running, queued: 1 }, ended)?.text).toBe(`${text}; 1 more waits`);
	expect(deployLine({ ...running, queued: 2 }, ended)?.text).toBe(`${text}; 2 more wait`);
});

it('shows how the last deploy ended, for a while', () => {
	expect(deployLine(undefined, ended)).toBeNull();
	const deployed = { ...running, state: 'deployed' as const, done: 4 };
	expect(deployLine(deployed, ended + 5 * minute)).toEqual({ level: 'good', text: 'deploy 3 replaced 4 workers in 20s, 5m ago' });
	expect(deployLine(deployed, ended + 11 * minute)).toBeNull();
	const failed = { ...running, state: 'failed' as const, error: 'it died' };
	expect(deployLine(failed, ended + 50 * minute)).toEqual({ level: 'bad', text: 'deploy 3 failed 50m ago: it died' });
	expect(deployLine(failed, ended + 61 * minute)).toBeNull();
	const calledOff = { ...running, state: 'called-off' as const, error: 'the deploy was called off' };
	expect(deployLine(calledOff, ended + minute)?.text).toBe('deploy 3 ended 1m ago: the deploy was called off');
});
