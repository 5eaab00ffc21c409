// What an operator can do: each action is confirmed in a dialog that names its consequence, and reports how it ended.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { isResident, stats } from './fleet.ts';
import { count, plural, shardNames } from './format.ts';
import { request } from './session.ts';

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
	if (!worker) return;
	const shardIds = worker.shardIds;
	asked.value = {
		title: `Respawn shard ${shardId}?`,
		consequence: `Worker ${worker.id} with ${shardNames(shardIds)} is replaced by a new process. ${costOf(shardIds.length)}`,
		confirm: 'Respawn',
		async run() {
			await request(`/v1/shards/${shardId}/respawn`, { body: {} });
			return `Worker ${worker.id} (${shardNames(shardIds)}) is ready again.`;
		},
	};
}

export function askRollingRestart(): void {
	const { workers, shards } = stats.value ?? { workers: [], shards: [] };
	asked.value = {
		title: 'Restart every worker?',
		consequence: `${plural(workers.length, 'worker')} are replaced one after another; the others keep running. ${costOf(shards.length)}`,
		confirm: 'Restart',
		async run() {
			await request('/v1/restart', { body: { rolling: true } });
			return 'Every worker was restarted.';
		},
	};
}

export function askDeploy(): void {
	const workers = stats.value?.workers.length ?? 0;
	asked.value = {
		title: 'Deploy?',
		consequence: `${plural(workers, 'worker')} are replaced by the version of the bot that is on the disk now, one after another, without an IDENTIFY and without a missed event. One that does not become ready is rolled back, and the deploy ends.`,
		confirm: 'Deploy',
		async run() {
			const { id } = (await (await request('/v1/deploy', { body: { wait: false } })).json()) as { id: number };
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
	asked.value = {
		title: 'Stop the fleet?',
		consequence: `All ${plural(workers.length, 'worker')} end, the bot goes offline on ${plural(shards.length, 'shard')}, and so does this page. It can only be started again on its machine, at ${count(shards.length)} of the day's session starts.`,
		confirm: 'Stop the fleet',
		isDangerous: true,
		async run() {
			await request('/v1/stop', { body: {} });
			return 'The fleet has stopped.';
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
