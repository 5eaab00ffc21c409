// The fleet's health in one sentence, and its causes: what is wrong, for how long, what to do. Also how far a start, a deploy or a resharding is.
import type { DashboardCluster, HealthCause, ManagerStats } from '@shardctl/core';
import { describeLosses, describeReshard, describeReshardRest } from '@shardctl/core/text';
import { askCancelDeploy } from './actions.tsx';
import { cluster, mayAct, now, selectShard, stats } from './fleet.ts';
import { age, clockTime, count, plural, shardNames } from './format.ts';
import { type IdentifyWindow, startTimeline } from './start-timeline.ts';

const shownAtMost = 5;
const effectWords = { outage: 'Outage', risk: 'Risk', progress: 'In progress' } as const;

export function Verdict() {
	const figures = stats.value;
	if (!figures) return null;
	const { status, served, shards, causes } = figures.health;
	const worst = causes[0];
	const isStarting = figures.manager.status === 'starting' && causes.every(({ effect }) => effect === 'progress');
	const isStopping = figures.manager.status === 'stopping' || figures.manager.status === 'stopped';
	const tone = isStarting ? 'starting' : isStopping ? 'stopped' : status;
	const title = isStarting
		? 'Starting'
		: isStopping
			? 'Stopping'
			: { healthy: 'Healthy', degraded: 'Degraded', down: 'Down' }[status];
	return (
		<section class={`card verdict is-${tone}`} aria-label="Health">
			<div class="verdict-head" role="status">
				<i class={`shape shape-${shapes[tone]}`} aria-hidden="true" />
				<h2>{title}</h2>
				<p>
					{served === shards && shards > 0
						? `${shards === 1 ? 'The shard is' : `All ${count(shards)} shards are`} served`
						: `${count(served)} of ${plural(shards, 'shard')} served`}
					{worst && !isStarting && causes.length > 1 ? ` · ${plural(causes.length, 'cause')}` : ''}
				</p>
			</div>
			<StartProgress figures={figures} />
			<DeployProgress deploy={figures.deploy} />
			<ReshardProgress reshard={figures.reshard} />
			<Moves moves={cluster.value?.moves ?? []} />
			<Losses losses={figures.losses} />
			<Sizing sizing={figures.sizing} isResharding={figures.reshard?.state === 'running'} />
			{!isStarting && causes.length > 0 && (
				<ul class="causes">
					{causes.slice(0, shownAtMost).map((cause) => (
						<Cause key={`${cause.kind} ${cause.shardIds[0]}`} cause={cause} />
					))}
				</ul>
			)}
			{!isStarting && causes.length > shownAtMost && <p class="quiet">and {plural(causes.length - shownAtMost, 'more cause')}</p>}
		</section>
	);
}

const shapes = { healthy: 'ready', degraded: 'trouble', down: 'down', starting: 'starting', stopped: 'stopped' } as const;

function Cause({ cause }: { cause: HealthCause }) {
	const { kind, effect, message, since, tries, nextTryAt, lost, remedy, shardIds } = cause;
	const what = kind === 'worker-unresponsive' ? 'replaced' : 'next try';
	const [first] = shardIds;
	const facts = [
		since === null ? undefined : `for ${age(now.value - since)}`,
		tries > 0 ? plural(tries, 'failed attempt') : undefined,
		nextTryAt !== null && nextTryAt > now.value ? `${what} in ${age(nextTryAt - now.value)}` : undefined,
		lost > 0 ? `${count(lost)} events lost` : undefined,
	].filter((fact) => fact !== undefined);
	return (
		<li class={`cause is-${effect}`}>
			<span class="effect">{effectWords[effect] ?? effect}</span>
			<div>
				<p class="message">{message}</p>
				{facts.length > 0 && <p class="quiet">{facts.join(' · ')}</p>}
				{remedy !== null && <p class="remedy">{remedy}</p>}
			</div>
			{first !== undefined && (
				<button type="button" onClick={() => selectShard(first)}>
					Show shard {first}
				</button>
			)}
		</li>
	);
}

/** Windows that are shown before and after the present one. */
const shownWindows = { past: 20, toCome: 40 };

function StartProgress({ figures }: { figures: ManagerStats }) {
	const { manager, shards } = figures;
	if (manager.status !== 'starting' || shards.length === 0) return null;
	const ready = shards.filter(({ status }) => status === 'ready').length;
	const { windows, waiting, lastTurnAt } = startTimeline(figures, now.value);
	const parts = [
		`${count(ready)} of ${plural(shards.length, 'shard')} ready`,
		waiting.length > 0
			? `${shardNames(waiting.toSorted((a, b) => a - b))} ${waiting.length === 1 ? 'waits' : 'wait'}`
			: undefined,
		lastTurnAt === null ? undefined : `the last has its turn at about ${clockTime(lastTurnAt)}`,
	];
	const at = windows.findIndex(({ state }) => state !== 'ready');
	const present = at < 0 ? windows.length : at;
	const from = Math.max(0, present - shownWindows.past);
	return (
		<>
			<Progress label="Start of the fleet" done={ready} total={shards.length} text={parts.filter(Boolean).join(' · ')} />
			<ol class="windows" aria-label="Identify windows of 5 s">
				{windows.slice(from, present + shownWindows.toCome).map((window) => (
					<Window key={`${window.state} ${window.at}`} window={window} most={manager.identify.maxConcurrency} />
				))}
			</ol>
			<p class="quiet">One bar is an identify window of 5 s; those to come are estimates.</p>
		</>
	);
}

const windowWords = { ready: 'ready', identifying: 'identifying now', waiting: 'wait' } as const;

function Window({ window: { at, state, shardIds }, most }: { window: IdentifyWindow; most: number }) {
	const words = `${clockTime(at)}: ${shardNames(shardIds)} ${windowWords[state]}`;
	const share = Math.min(1, shardIds.length / Math.max(1, Math.min(most, 16)));
	return (
		<li class={`window is-${state}`} title={words}>
			<i style={{ height: `${Math.round(20 + 80 * share)}%` }} aria-hidden="true" />
			<span class="hidden">{words}</span>
		</li>
	);
}

/** A loss that is older than this is history. */
const recentLossMs = 10 * 60_000;

function Losses({ losses }: { losses: ManagerStats['losses'] }) {
	const described = losses && describeLosses(losses);
	if (!losses?.last || !described) return null;
	const agoMs = Math.max(0, now.value - losses.last.at);
	return (
		<p class={`losses${agoMs < recentLossMs ? ' is-recent' : ' quiet'}`}>
			{described.total} since the start; last {age(agoMs)} ago, {described.last}
		</p>
	);
}

/** The bot has outgrown its sessions with Discord. A resharding that runs says more. */
function Sizing({ sizing, isResharding }: { sizing: ManagerStats['sizing']; isResharding: boolean }) {
	if (!sizing?.outgrown || isResharding) return null;
	const { message, remedy, automatic, advised, waitsFor } = sizing;
	const what =
		!automatic || advised === null
			? remedy
			: `resharding to ${plural(advised, 'session')}${waitsFor ? ` waits: ${waitsFor}` : ' begins'}`;
	return (
		<p class="losses is-recent">
			{message}: {what}
		</p>
	);
}

const over = new Set(['deployed', 'failed', 'called-off']);

function DeployProgress({ deploy }: { deploy: ManagerStats['deploy'] }) {
	if (!deploy || over.has(deploy.state)) return null;
	const worker = deploy.workerId === null ? '' : `worker ${deploy.workerId}: `;
	const text = `Deploy ${deploy.id} · ${count(deploy.done)} of ${plural(deploy.total, 'worker')} · ${worker}${deploy.stage} (${age(deploy.stageMs)})`;
	return (
		<div class="row">
			<Progress label={`Deploy ${deploy.id}`} done={deploy.done} total={deploy.total} text={text} />
			{mayAct.value && (
				<button type="button" onClick={() => askCancelDeploy(deploy.id)}>
					Call off
				</button>
			)}
		</div>
	);
}

function ReshardProgress({ reshard }: { reshard: ManagerStats['reshard'] }) {
	if (reshard?.state !== 'running') return null;
	const { done, total } = reshard;
	const text = `Resharding ${describeReshard(reshard)} · ${count(done)} of ${plural(total, 'group')} replaced · ${describeReshardRest(reshard)}`;
	return <Progress label="Resharding" done={done} total={total} text={text} />;
}

const phaseWords = { moving: 'is being prepared there', prepared: 'is handed over' } as const;

/** Sessions that move from node to node now. */
function Moves({ moves }: { moves: DashboardCluster['moves'] }) {
	if (moves.length === 0) return null;
	return (
		<ul class="moves" aria-label="Sessions that move">
			{moves.slice(0, shownAtMost).map(({ session, shardIds, from, to, phase }) => (
				<li key={session}>
					<i class="shape shape-moving" aria-hidden="true" />
					<span>
						Session {session} ({shardNames(shardIds)}) moves{from === null ? '' : ` from node ${from}`} to node {to}{' '}
						<span class="quiet">{phaseWords[phase] ?? phase}</span>
					</span>
				</li>
			))}
			{moves.length > shownAtMost && <li class="quiet">and {count(moves.length - shownAtMost)} more</li>}
		</ul>
	);
}

function Progress({ label, done, total, text }: { label: string; done: number; total: number; text: string }) {
	return (
		<div class="progress">
			<progress aria-label={label} max={Math.max(1, total)} value={done} />
			<p>{text}</p>
		</div>
	);
}
