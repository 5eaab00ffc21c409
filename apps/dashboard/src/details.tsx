// The shard that is selected: its figures, its worker and how that last ended, its session with Discord.
import { computed } from '@preact/signals';
import type { LastExit, ManagerStats } from '@shardctl/core';
import { askRespawn } from './actions.tsx';
import { controls } from './controls.ts';
import { events, mayAct, now, selectedShard, stats } from './fleet.ts';
import { age, bytes, clockTime, count, decimal, milliseconds, shardNames, unknown } from './format.ts';
import { showLogsOf } from './records.tsx';
import { shown } from './shard-grid.tsx';

/** The shard that is selected, as long as the fleet has it. */
export const shownShard = computed(() => shown.value.find(({ shard }) => shard.shardId === selectedShard.value));

export function Details() {
	const found = shownShard.value;
	const figures = stats.value;
	if (!found || !figures) return null;
	const { shard, look, words } = found;
	const worker = figures.workers.find(({ id }) => id === shard.workerId);
	return (
		<section class="card details" aria-label={`Details of shard ${shard.shardId}`}>
			<div class="section-head">
				<h2>Shard {shard.shardId}</h2>
				<button type="button" class="plain" aria-label="Close the details" onClick={() => (selectedShard.value = undefined)}>
					✕
				</button>
			</div>
			<p class="state">
				<i class={`shape shape-${look}`} aria-hidden="true" /> {words}
				{shard.since !== null && <span class="quiet"> for {age(now.value - shard.since)}</span>}
			</p>
			<Facts
				facts={[
					['Guilds', `${count(shard.guildCount)} (${count(shard.userCount)} members)`],
					['Ping', milliseconds(shard.ping)],
					...sessionFacts(figures, shard.shardId, now.value),
					['Worker', worker ? `${worker.id} (${shardNames(worker.shardIds)})` : unknown],
					['Process', shard.pid === null ? 'none' : `${shard.pid}, up ${age(shard.uptimeMs)}`],
					['Memory of the process', memoryText(worker)],
					['Processor', decimal(shard.cpuPercent, '% of one core')],
					['Event loop delay', milliseconds(shard.loopDelayMs)],
					['Restarts', count(shard.restarts)],
				]}
			/>
			<Exits workerId={shard.workerId} last={shard.lastExit} />
			<div class="row">
				{mayAct.value && (
					<button type="button" onClick={() => askRespawn(shard.shardId)}>
						Respawn
					</button>
				)}
				{mayAct.value && (
					<button type="button" onClick={() => showLogsOf(shard.shardId)}>
						Show its log
					</button>
				)}
			</div>
		</section>
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

function memoryText(worker: ManagerStats['workers'][number] | undefined): string {
	const limit = worker?.memoryLimitBytes ?? null;
	return `${bytes(worker?.rssBytes)}${limit === null ? '' : ` of ${bytes(limit)}`}`;
}

/** Resident mode: what the gateway process says of the shard and its session. */
function sessionFacts({ gateways }: ManagerStats, shardId: number, at: number): Fact[] {
	const gateway = gateways?.find(({ shardIds }) => shardIds.includes(shardId));
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
		['Waiting for the worker', held ? `${count(held.bufferedEvents)} events, oldest ${age(held.bufferAgeMs)}` : unknown],
		['Lost', held ? `${count(held.lost + held.overflowed)} events; ${count(held.poisoned)} set aside` : unknown],
	];
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
			<h3>Last {exits.length > 1 ? 'exits' : 'exit'}</h3>
			{exits.length === 0 && last && <ExitReport at={last.at} reason={last.reason} text={last.message} parts={[]} />}
			{exits.map(({ seq, at, reason, text, stack, stderrTail }) => (
				<ExitReport
					key={seq}
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
						<pre tabIndex={0}>{lines.map((line) => line.replace(controls, '')).join('\n')}</pre>
					</details>
				))}
		</div>
	);
}
