// What is selected: a shard with its session and its worker, or a worker with its shards; how the worker's processes ended, and its figures
// over time.
import { computed } from '@preact/signals';
import type { LastExit, ManagerStats, ShardStats, WorkerStats } from '@shardctl/core';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { askRespawn, askRespawnWorker, MoveChoice } from './actions.tsx';
import {
	events,
	hello,
	mayAct,
	now,
	plotRange,
	selectedShard,
	selectedWorker,
	selectShard,
	selectWorker,
	stats,
} from './fleet.ts';
import { age, bytes, clockTime, count, decimal, milliseconds, plural, shardNames, unknown } from './format.ts';
import { readWorkerHistory } from './live.ts';
import { WorkerPlots } from './plots.tsx';
import { showLogsOf } from './records.tsx';
import { shown } from './shard-grid.tsx';
import type { Look, ShownShard } from './shard-look.ts';

/** The shard that is selected, as long as the fleet has it. */
const shownShard = computed(() => shown.value.find(({ shardId }) => shardId === selectedShard.value));
const shownWorker = computed(() => stats.value?.workers.find(({ id }) => id === selectedWorker.value));

export const hasDetails = computed(() => shownShard.value !== undefined || shownWorker.value !== undefined);

export function Details() {
	const figures = stats.value;
	if (!figures) return null;
	if (shownShard.value) return <ShardPanel shown={shownShard.value} figures={figures} />;
	if (shownWorker.value) return <WorkerPanel worker={shownWorker.value} figures={figures} />;
	return null;
}

function ShardPanel({ shown: { shardId, shard, look, words, node }, figures }: { shown: ShownShard; figures: ManagerStats }) {
	const worker = figures.workers.find(({ id }) => id === shard?.workerId);
	return (
		<Panel
			title={`Shard ${shardId}`}
			name={`Details of shard ${shardId}`}
			look={look}
			words={words}
			since={look === 'moving' ? null : (shard?.since ?? null)}
		>
			{shard && (
				<Facts
					facts={[
						...(node === undefined ? [] : [['Node', node] as const]),
						['Guilds', `${count(shard.guildCount)} (${count(shard.userCount)} members)`],
						['Ping', milliseconds(shard.ping)],
						...sessionFacts(figures, shard, now.value),
					]}
				/>
			)}
			{shard && mayAct.value && (
				<div class="row">
					<button type="button" onClick={() => askRespawn(shardId)}>
						Respawn
					</button>
					<button type="button" onClick={() => showLogsOf(shardId)}>
						Show its log
					</button>
					<MoveChoice shard={shard} />
				</div>
			)}
			{worker && (
				<section class="of-worker" aria-label="Its worker">
					<h3>
						<button type="button" class="link" onClick={() => selectWorker(worker.id)}>
							Worker {worker.id}
						</button>{' '}
						<span class="quiet">{shardNames(worker.shardIds)}</span>
					</h3>
					<WorkerBody worker={worker} figures={figures} />
				</section>
			)}
		</Panel>
	);
}

function WorkerPanel({ worker, figures }: { worker: WorkerStats; figures: ManagerStats }) {
	const { id, shardIds, state, since, node } = worker;
	const [first] = shardIds;
	return (
		<Panel title={`Worker ${id}`} name={`Details of worker ${id}`} look={workerLook(state)} words={state} since={since}>
			{node !== undefined && <Facts facts={[['Node', node]]} />}
			<ul class="its-shards" aria-label="Its shards">
				{shown.value
					.filter(({ shardId }) => shardIds.includes(shardId))
					.map(({ shardId, look, words }) => (
						<li key={shardId}>
							<button type="button" class="small" title={words} onClick={() => selectShard(shardId)}>
								<i class={`shape shape-${look}`} aria-hidden="true" /> Shard {shardId}
								<span class="hidden">: {words}</span>
							</button>
						</li>
					))}
			</ul>
			{mayAct.value && first !== undefined && (
				<div class="row">
					<button type="button" onClick={() => askRespawnWorker(worker)}>
						Respawn
					</button>
					<button type="button" onClick={() => showLogsOf(first)}>
						Show its log
					</button>
				</div>
			)}
			<WorkerBody worker={worker} figures={figures} />
		</Panel>
	);
}

interface PanelProps {
	title: string;
	name: string;
	look: Look;
	words: string;
	/** Epoch ms. */
	since: number | null;
	children: ComponentChildren;
}

function Panel({ title, name, look, words, since, children }: PanelProps) {
	const place = useRef<HTMLElement>(null);
	// On a phone it is below the grid.
	useEffect(() => place.current?.scrollIntoView({ block: 'nearest' }), [name]);
	const close = () => {
		const from = selectedShard.value;
		selectShard(undefined);
		// To where it was opened: the button that had the focus is gone.
		document.querySelector<HTMLElement>(`.cell[aria-label^="Shard ${from}:"]`)?.focus();
	};
	return (
		<section
			ref={place}
			class="card details"
			aria-label={name}
			onKeyDown={({ key }) => {
				if (key === 'Escape') close();
			}}
		>
			<div class="section-head">
				<h2>{title}</h2>
				<button type="button" class="plain" aria-label="Close the details" onClick={close}>
					✕
				</button>
			</div>
			<p class="state">
				<i class={`shape shape-${look}`} aria-hidden="true" /> {words}
				{since !== null && <span class="quiet"> for {age(now.value - since)}</span>}
			</p>
			{children}
		</section>
	);
}

/** A fatal end is an outage; everything between two states of readiness passes. */
export function workerLook(state: string): Look {
	if (state === 'ready') return 'ready';
	if (state === 'failed') return 'down';
	return state === 'stopped' || state === 'stopping' ? 'stopped' : 'starting';
}

/** What the panels of a worker and of its shards have in common. */
function WorkerBody({ worker, figures }: { worker: WorkerStats; figures: ManagerStats }) {
	const { id, pid, restarts, rssBytes, memoryLimitBytes, lastExit } = worker;
	const own = figures.shards.filter((shard) => shard.workerId === id);
	const cpu = own.reduce<number | null>((sum, { cpuPercent }) => (cpuPercent === null ? sum : (sum ?? 0) + cpuPercent), null);
	const uptimeMs = own[0]?.uptimeMs ?? 0;
	const range = plotRange.value;
	const manager = hello.value?.pid;
	useEffect(() => void readWorkerHistory(id, range), [id, range, manager]);
	return (
		<>
			<Facts
				facts={[
					['Process', pid === null ? 'none' : `${pid}, up ${age(uptimeMs)}`],
					['Memory', `${bytes(rssBytes)}${memoryLimitBytes === null ? '' : ` of ${bytes(memoryLimitBytes)}`}`],
					['Processor', decimal(cpu, '% of one core')],
					['Event loop delay', milliseconds(own[0]?.loopDelayMs)],
					['Restarts', count(restarts)],
				]}
			/>
			<WorkerPlots workerId={id} />
			<Exits workerId={id} last={lastExit} />
		</>
	);
}

type Fact = readonly [name: string, value: string];

function Facts({ facts }: { facts: readonly Fact[] }) {
	return (
		<dl class="facts">
			{facts.map(([name, value]) => (
				<div key={name}>
					<dt>{name}</dt>
					<dd>{value}</dd>
				</div>
			))}
		</dl>
	);
}

/** Resident mode: what the gateway process says of the shard and its session. While a session moves, two nodes have one for it. */
function sessionFacts({ gateways }: ManagerStats, { shardId, node }: ShardStats, at: number): Fact[] {
	const having = gateways?.filter(({ shardIds }) => shardIds.includes(shardId)) ?? [];
	const gateway = having.find((each) => each.node === node) ?? having[0];
	if (!gateway) return [];
	const held = gateway.shards.find((shard) => shard.shardId === shardId);
	const session = gateway.sessions.find(({ shardIds }) => shardIds.includes(shardId));
	const close = session?.lastClose;
	return [
		['Gateway process', `${gateway.id}, ${gateway.status}`],
		[
			'Session with Discord',
			session
				? `${session.status}${session.lastEventAt === null ? '' : `, last event ${age(at - session.lastEventAt)} ago`}`
				: unknown,
		],
		['Ping to Discord', milliseconds(session?.ping)],
		...(close ? [['Last close', `${close.code ?? 'no code'} ${close.reason} at ${clockTime(close.at)}`] as const] : []),
		['Events', held ? `${decimal(held.eventsPerSecond)} a second, ${count(held.received)} received` : unknown],
		['Waiting for the worker', held ? waitingText(held) : unknown],
		['Lost', held ? `${plural(held.lost + held.overflowed, 'event')}; ${count(held.poisoned)} set aside` : unknown],
	];
}

function waitingText({ bufferedEvents, bufferAgeMs }: { bufferedEvents: number; bufferAgeMs: number }): string {
	return bufferedEvents === 0 ? 'no event' : `${plural(bufferedEvents, 'event')}, oldest ${age(bufferAgeMs)}`;
}

const shownExits = 5;

/** The exits that the page knows, newest first, each with where it hung and what it wrote last. */
function Exits({ workerId, last }: { workerId: number; last: LastExit | null }) {
	const exits = events.value
		.flatMap(({ seq, at, text, exit }) => (exit?.workerId === workerId ? [{ seq, at, text, ...exit }] : []))
		.slice(-shownExits)
		.reverse();
	if (!last && exits.length === 0) return <p class="quiet">Its process has not exited.</p>;
	return (
		<div class="exit">
			<h4>Last {exits.length > 1 ? 'exits' : 'exit'}</h4>
			{exits.length === 0 && last && <ExitReport at={last.at} reason={last.reason} text={last.message} parts={[]} />}
			{exits.map(({ seq, at, reason, text, stack, stderrTail }) => (
				<ExitReport
					key={`${seq} ${at}`}
					at={at}
					reason={reason}
					text={text}
					parts={[
						['It hung in', stack],
						['Its last errors', stderrTail],
					]}
				/>
			))}
		</div>
	);
}

interface ExitReportProps {
	at: number;
	reason: string;
	text: string;
	parts: readonly (readonly [name: string, lines: readonly string[]])[];
}

function ExitReport({ at, reason, text, parts }: ExitReportProps) {
	return (
		<div class="exit-report">
			<p class="quiet">
				{clockTime(at)}, {age(now.value - at)} ago · {reason}
			</p>
			<pre tabIndex={0}>{text}</pre>
			{parts
				.filter(([, lines]) => lines.length > 0)
				.map(([name, lines]) => (
					<details key={name}>
						<summary>{name}</summary>
						<pre tabIndex={0}>{lines.join('\n')}</pre>
					</details>
				))}
		</div>
	);
}
