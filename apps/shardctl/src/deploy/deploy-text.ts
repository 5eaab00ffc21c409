// A deploy as text: what it does now, and how it ended. Pure.
import type { DeployStats } from '@shardctl/core';
import { age } from '../terminal/age.js';
import { plural } from '../terminal/count.js';

/** How long after its end a deploy is still shown. */
const shownFor = { deployed: 10 * 60_000, failed: 60 * 60_000, 'called-off': 10 * 60_000 };

/** `worker 0: waiting for the new process to log in, 12 s (0 of 4 replaced)` */
export function stageText({ workerId, stage, stageMs, done, total }: DeployStats): string {
	const who = workerId === null ? '' : `worker ${workerId}: `;
	const time = stageMs < 1000 ? '' : `, ${Math.round(stageMs / 1000)} s`;
	return `${who}${stage}${time}${total === 0 ? '' : ` (${done} of ${total} replaced)`}`;
}

export interface DeployLine {
	text: string;
	level: 'running' | 'good' | 'bad';
}

/** The deploy of a fleet for its summary; null where there was none lately. */
export function deployLine(deploy: (DeployStats & { queued: number }) | undefined, nowMs: number): DeployLine | null {
	if (!deploy) return null;
	const name = `deploy ${deploy.id}`;
	const endedMs = nowMs - deploy.startedAt - deploy.tookMs;
	switch (deploy.state) {
		case 'deployed':
			if (endedMs > shownFor.deployed) return null;
			return {
				level: 'good',
				text: `${name} replaced ${plural(deploy.total, 'worker')} in ${age(deploy.tookMs)}, ${age(endedMs)} ago`,
			};
		case 'failed':
			if (endedMs > shownFor.failed) return null;
			return { level: 'bad', text: `${name} failed ${age(endedMs)} ago: ${deploy.error}` };
		case 'called-off':
			if (endedMs > shownFor['called-off']) return null;
			return { level: 'running', text: `${name} ended ${age(endedMs)} ago: ${deploy.error}` };
		case 'queued':
		case 'replacing':
		case 'baking':
		case 'finishing':
		case 'rolling-back': {
			const behind = deploy.queued === 0 ? '' : `; ${deploy.queued} more ${deploy.queued === 1 ? 'waits' : 'wait'}`;
			return { level: 'running', text: `${name}: ${stageText(deploy)}${behind}` };
		}
	}
}
