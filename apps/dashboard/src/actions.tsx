// What an operator can do: each action is confirmed in a dialog that names its consequence, and reports how it ended.
import { signal } from '@preact/signals';
import type { ShardStats, WorkerStats } from '@shardctl/core';
import { useEffect, useRef, useState } from 'preact/hooks';
import { canMove, cluster, isResident, mayAct, stats } from './fleet.ts';
import { count, plural, shardNames } from './format.ts';
import { otherNodes } from './node-groups.ts';
import { readJson, request } from './session.ts';

interface Action {
	title: string;
	/** What happens, and what it costs. */
	consequence: string;
	confirm: string;
	isDangerous?: boolean;
	run(): Promise<string>;
}

interface Notice {
	id: number;
	text: string;
	isError: boolean;
}

const asked = signal<Action | undefined>(undefined);
const notices = signal<readonly Notice[]>([]);
let lastNotice = 0;
const keptNotices = 4;

export function askRespawn(shardId: number): void {
	const worker = stats.value?.workers.find(({ shardIds }) => shardIds.includes(shardId));
	if (worker) askToReplace(`Respawn shard ${shardId}?`, worker);
}

export function askRespawnWorker(worker: WorkerStats): void {
	askToReplace(`Respawn worker ${worker.id}?`, worker);
}

function askToReplace(title: string, { id, shardIds }: WorkerStats): void {
	asked.value = {
		title,
		consequence: `Worker ${id} with ${shardNames(shardIds)} is replaced by a new process. ${costOf(shardIds.length)}`,
		confirm: 'Respawn',
		async run() {
			await request(`/v1/shards/${shardIds[0]}/respawn`, { body: {} });
			return `Worker ${id} (${shardNames(shardIds)}) is ready again.`;
		},
	};
}

export function askRollingRestart(): void {
	const { workers, shards } = stats.value ?? { workers: [], shards: [] };
	asked.value = {
		title: 'Restart every worker?',
		consequence: `${replacedOneByOne(workers.length)}. ${costOf(shards.length)}`,
		confirm: 'Restart',
		async run() {
			await request('/v1/restart', { body: { rolling: true } });
			return 'Every worker was restarted.';
		},
	};
}

function replacedOneByOne(workers: number): string {
	return workers === 1
		? 'The worker is replaced'
		: `${count(workers)} workers are replaced one after another; the others keep running`;
}

export function askDeploy(): void {
	const workers = stats.value?.workers.length ?? 0;
	asked.value = {
		title: 'Deploy?',
		consequence: `${workers === 1 ? 'The worker is replaced' : `${count(workers)} workers are replaced, one after another,`} by the version of the bot that is on the disk now, without an IDENTIFY and without a missed event. One that does not become ready is rolled back, and the deploy ends.`,
		confirm: 'Deploy',
		async run() {
			const { id } = (await readJson(await request('/v1/deploy', { body: { wait: false } }))) as { id: number };
			return `Deploy ${id} has begun.`;
		},
	};
}

export function askCancelDeploy(id: number): void {
	asked.value = {
		title: `Call off deploy ${id}?`,
		consequence: 'It ends at the next safe point, and workers that run the new version are brought back to the old one.',
		confirm: 'Call off',
		async run() {
			await request('/v1/deploy/cancel', { body: { id } });
			return `Deploy ${id} is being called off.`;
		},
	};
}

export function askStop(): void {
	const { workers, shards } = stats.value ?? { workers: [], shards: [] };
	const nodes = cluster.value?.nodes.filter(({ status }) => status !== 'gone').length;
	const ends =
		nodes === undefined ? allEnd(workers.length, 'worker') : `${allEnd(nodes, 'node')} with ${plural(workers.length, 'worker')}`;
	const again = nodes === undefined ? 'on its machine' : 'on its machines';
	asked.value = {
		title: 'Stop the fleet?',
		consequence: `${ends}, the bot goes offline on ${plural(shards.length, 'shard')}, and so does this page. It can only be started again ${again}, at ${count(shards.length)} of the day's session starts.`,
		confirm: 'Stop the fleet',
		isDangerous: true,
		async run() {
			await request('/v1/stop', { body: nodes === undefined ? {} : { all: true } });
			return 'The fleet has stopped.';
		},
	};
}

function allEnd(number: number, noun: string): string {
	return number === 1 ? `The ${noun} ends` : `All ${plural(number, noun)} end`;
}

/** What a node has, and where it can go. */
function situationOf(name: string) {
	const shardIds = stats.value?.shards.filter(({ node }) => node === name).map(({ shardId }) => shardId) ?? [];
	const sessions = cluster.value?.nodes.find((node) => node.name === name)?.sessions ?? 0;
	const others = cluster.value ? otherNodes(cluster.value, name) : [];
	const has = `its ${plural(sessions, 'session')} (${shardNames(shardIds)})`;
	return {
		sessions,
		has: `I${has.slice(1)}`,
		others,
		to: others.length === 1 ? `node ${others[0]}` : `nodes ${others.join(', ')}`,
	};
}

const moveCost = 'A session moves without an IDENTIFY: its events wait meanwhile, and none is lost.';

export function askDrain(name: string): void {
	const { sessions, has, to } = situationOf(name);
	asked.value = {
		title: `Drain node ${name}?`,
		consequence:
			(sessions === 0
				? 'It has no session now. '
				: `${has} ${sessions === 1 ? 'moves' : 'move'} to ${to}${sessions === 1 ? '' : ', one after another'}. ${moveCost} `) +
			'The node keeps running, and gets no session until its drain is ended.',
		confirm: 'Drain',
		async run() {
			await request('/v1/drain', { body: { node: name, wait: false } });
			return `Node ${name} is being drained.`;
		},
	};
}

export function askUndoDrain(name: string): void {
	asked.value = {
		title: `End the drain of node ${name}?`,
		consequence: `It may get sessions again, and the cluster moves some to it where it has fewer than the others. ${moveCost}`,
		confirm: 'End the drain',
		async run() {
			await request('/v1/drain', { body: { node: name, undo: true } });
			return `Node ${name} takes sessions again.`;
		},
	};
}

export function askStopNode(name: string): void {
	const { sessions, has, others, to } = situationOf(name);
	const page = name === cluster.value?.node ? ' It serves this page: open the dashboard of another node then.' : '';
	asked.value = {
		title: `Stop node ${name}?`,
		consequence: `${stopConsequence({ sessions, has, others, to })} Its processes end, and it can only be started again on its machine.${page}`,
		confirm: 'Stop the node',
		isDangerous: true,
		async run() {
			await request('/v1/stop', { body: { node: name } });
			return `Node ${name} has stopped.`;
		},
	};
}

function stopConsequence({ sessions, has, others, to }: ReturnType<typeof situationOf>): string {
	if (sessions === 0) return 'It has no session.';
	if (others.length === 0) return `No other node can take its ${plural(sessions, 'session')}: the bot goes offline on them.`;
	if (canMove.value) return `${has} ${sessions === 1 ? 'moves' : 'move'} to ${to} first. ${moveCost}`;
	return `${has} ${sessions === 1 ? 'starts' : 'start'} on ${to} with an IDENTIFY each, and what Discord sends between two sessions is lost.`;
}

/** Moves the session of a shard to another node. */
export function MoveChoice({ shard: { shardId, node } }: { shard: ShardStats }) {
	const others = cluster.value ? otherNodes(cluster.value, node) : [];
	const [chosen, choose] = useState<string>();
	const target = chosen !== undefined && others.includes(chosen) ? chosen : others[0];
	if (!mayAct.value || !canMove.value || target === undefined) return null;
	return (
		<span class="move">
			<select
				aria-label="Node to move it to"
				value={target}
				onChange={(event) => choose((event.currentTarget as HTMLSelectElement).value)}
			>
				{others.map((name) => (
					<option key={name} value={name}>
						to {name}
					</option>
				))}
			</select>
			<button type="button" onClick={() => askMove(shardId, node, target)}>
				Move
			</button>
		</span>
	);
}

function askMove(shardId: number, from: string | undefined, to: string): void {
	const sessions = stats.value?.gateways?.flatMap((gateway) => gateway.sessions) ?? [];
	const shardIds = sessions.find((session) => session.shardIds.includes(shardId))?.shardIds ?? [shardId];
	asked.value = {
		title: `Move shard ${shardId} to node ${to}?`,
		consequence: `Its session with ${shardNames(shardIds)} moves${from === undefined ? '' : ` from node ${from}`} to node ${to}. ${moveCost}`,
		confirm: 'Move',
		async run() {
			await request(`/v1/shards/${shardId}/move`, { body: { node: to } });
			return `Session with ${shardNames(shardIds)} is ready on node ${to}.`;
		},
	};
}

/** In resident mode the sessions stay; in direct mode each shard identifies again. */
function costOf(shards: number): string {
	if (isResident.value) return 'Its sessions with Discord stay: it costs no session start, and events wait meanwhile.';
	const { remaining = 0 } = stats.value?.manager.identify ?? {};
	return (
		`It costs ${plural(shards, 'session start')} of the ${count(remaining)} that are left today, ` +
		'and what Discord sends to a shard between its two sessions is lost.'
	);
}

export function ConfirmDialog() {
	const dialog = useRef<HTMLDialogElement>(null);
	const action = asked.value;
	useEffect(() => {
		if (action) dialog.current?.showModal();
		else dialog.current?.close();
	}, [action]);
	const close = () => {
		asked.value = undefined;
	};
	return (
		<dialog ref={dialog} onClose={close} aria-labelledby="confirm-title" aria-describedby="confirm-text">
			<h2 id="confirm-title">{action?.title}</h2>
			<p id="confirm-text">{action?.consequence}</p>
			<div class="row end">
				<button type="button" onClick={close}>
					Cancel
				</button>
				<button
					type="button"
					class={action?.isDangerous ? 'danger solid' : 'primary'}
					onClick={() => {
						if (action) void perform(action);
						close();
					}}
				>
					{action?.confirm}
				</button>
			</div>
		</dialog>
	);
}

async function perform(action: Action): Promise<void> {
	const id = notify(`${action.confirm}: under way`, false);
	try {
		const text = await action.run();
		dismiss(id);
		notify(text, false);
	} catch (error) {
		dismiss(id);
		notify(`${action.confirm} failed: ${error instanceof Error ? error.message : String(error)}`, true);
	}
}

function notify(text: string, isError: boolean): number {
	const id = ++lastNotice;
	notices.value = [...notices.value, { id, text, isError }].slice(-keptNotices);
	return id;
}

function dismiss(id: number): void {
	notices.value = notices.value.filter((notice) => notice.id !== id);
}

export function Notices() {
	return (
		<div class="notices" role="status">
			{notices.value.map(({ id, text, isError }) => (
				<div key={id} class={`notice${isError ? ' is-error' : ''}`}>
					<p>{text}</p>
					<button type="button" class="plain" aria-label="Dismiss" onClick={() => dismiss(id)}>
						✕
					</button>
				</div>
			))}
		</div>
	);
}
