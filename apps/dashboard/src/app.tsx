// The page as a whole: the login, or the fleet from its status down to its log.
import { computed, effect } from '@preact/signals';
import { ConfirmDialog, Notices } from './actions.tsx';
import { Details, hasDetails } from './details.tsx';
import { Figures } from './figures.tsx';
import { connection, connectionProblem, staleSeconds, stats } from './fleet.ts';
import { Header } from './header.tsx';
import { Plots } from './plots.tsx';
import { Queue } from './queue.tsx';
import { Records } from './records.tsx';
import { SetAside } from './set-aside.tsx';
import { ShardGrid } from './shard-grid.tsx';
import { Verdict } from './verdict.tsx';
import { Workers } from './workers.tsx';

const view = computed(() => (connection.value === 'logged-out' ? 'login' : stats.value ? 'fleet' : 'waiting'));

const isStale = computed(() => staleSeconds.value > 0);

/** A tab that is not in front says how the fleet is, too. */
effect(() => {
	const { health, manager } = stats.value ?? {};
	if (!health || !manager) return;
	const mark = isStale.value || connection.value !== 'live' ? '?' : { healthy: '■', degraded: '▲', down: '✖' }[health.status];
	document.title = `${mark} ${manager.name}: ${health.served} of ${health.shards} shards served`;
});

export function App() {
	if (view.value === 'login') return <Login />;
	if (view.value === 'waiting') return <Waiting />;
	return (
		<>
			<Header />
			<main class={isStale.value ? 'is-old' : ''}>
				<Verdict />
				<Figures />
				<div class={`two${hasDetails.value ? ' has-details' : ''}`}>
					<ShardGrid />
					<Details />
					<Plots />
				</div>
				<SetAside />
				<Queue />
				<Workers />
				<Records />
			</main>
			<ConfirmDialog />
			<Notices />
		</>
	);
}

function Login() {
	return (
		<main class="centre">
			<div class="card intro">
				<h1>Log in to the dashboard</h1>
				{connectionProblem.value !== '' && (
					<p role="alert" class="problem">
						{connectionProblem.value}
					</p>
				)}
				<p>On the machine of the fleet, run</p>
				<pre>
					<code>shardctl dashboard</code>
				</pre>
				<p>and open the address that it prints. It logs one browser in, once, within ten minutes.</p>
			</div>
		</main>
	);
}

function Waiting() {
	return (
		<main class="centre">
			<div class="card intro" role="status">
				<h1>{connection.value === 'lost' ? 'The manager does not answer' : 'Connecting to the fleet'}</h1>
				<p>{connection.value === 'lost' ? `${connectionProblem.value}. Trying again.` : 'One moment.'}</p>
			</div>
		</main>
	);
}
