// The fleet's health in one sentence, and its causes: what is wrong, for how long, what to do. Also how far a start or a deploy is.
import type { HealthCause, ManagerStats } from '@shardctl/core';
import { askCancelDeploy } from './actions.tsx';
import { mayAct, now, selectedShard, stats } from './fleet.ts';
import { age, count, plural } from './format.ts';

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
	const { effect, message, since, tries, nextTryAt, lost, remedy, shardIds } = cause;
	const [first] = shardIds;
	const facts = [
		since === null ? undefined : `for ${age(now.value - since)}`,
		tries > 0 ? plural(tries, 'failed attempt') : undefined,
		nextTryAt !== null && nextTryAt > now.value ? `next try in ${age(nextTryAt - now.value)}` : undefined,
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
				<button type="button" onClick={() => (selectedShard.value = first)}>
					Show shard {first}
				</button>
			)}
		</li>
	);
}

/** Discord: one IDENTIFY per `max_concurrency` bucket every 5 s. */
const identifyWindowMs = 5000;

function StartProgress({ figures: { manager, shards, gateways } }: { figures: ManagerStats }) {
	if (manager.status !== 'starting' || shards.length === 0) return null;
	const of = (status: string) => shards.filter((shard) => shard.status === status).length;
	const ready = of('ready');
	const waiting = of('waiting') + of('planned') + of('booting');
	const windows = Math.ceil(waiting / Math.max(1, manager.identify.maxConcurrency));
	const parts = [
		`${count(ready)} of ${plural(shards.length, 'shard')} ready`,
		of('identifying') > 0 ? `${count(of('identifying'))} identifying` : undefined,
		waiting > 0 ? `${count(waiting)} waiting for a process or an identify slot` : undefined,
		waiting > 0 && !gateways ? `all identified in about ${age(windows * identifyWindowMs)}` : undefined,
	];
	return <Progress label="Start of the fleet" done={ready} total={shards.length} text={parts.filter(Boolean).join(' · ')} />;
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

function Progress({ label, done, total, text }: { label: string; done: number; total: number; text: string }) {
	return (
		<div class="progress">
			<progress aria-label={label} max={Math.max(1, total)} value={done} />
			<p>{text}</p>
		</div>
	);
}
