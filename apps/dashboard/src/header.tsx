// The name of the fleet, whether what the page shows is fresh, and what can be done with the whole fleet.
import { askDeploy, askRollingRestart, askStop } from './actions.tsx';
import { cluster, connection, hello, isResident, mayAct, now, staleSeconds, stats } from './fleet.ts';
import { age, fullTime } from './format.ts';
import { applyTheme, type Theme, theme } from './theme.ts';

export function Header() {
	return (
		<header>
			<div class="brand">
				<Mark />
				<h1>{hello.value?.name ?? stats.value?.manager.name}</h1>
				<Freshness />
				{stats.value?.manager.simulator && <span class="tag">simulated Discord</span>}
				{cluster.value && (
					<span class="tag" title="The node that serves this page">
						node {cluster.value.node}
					</span>
				)}
				{!mayAct.value && <span class="tag">read-only</span>}
			</div>
			<div class="tools">
				{mayAct.value && (
					<>
						<button type="button" onClick={askRollingRestart}>
							Rolling restart
						</button>
						{isResident.value && (
							<button type="button" onClick={askDeploy}>
								Deploy
							</button>
						)}
						<button type="button" class="danger" onClick={askStop}>
							Stop
						</button>
					</>
				)}
				<ThemeChoice />
			</div>
		</header>
	);
}

function Mark() {
	return (
		<svg class="mark" viewBox="0 0 22 22" aria-hidden="true">
			<rect x="1" y="1" width="9" height="9" rx="2" />
			<rect x="12" y="1" width="9" height="9" rx="2" opacity=".65" />
			<rect x="1" y="12" width="9" height="9" rx="2" opacity=".65" />
			<rect x="12" y="12" width="9" height="9" rx="2" opacity=".35" />
		</svg>
	);
}

function Freshness() {
	const stale = staleSeconds.value;
	const isLive = connection.value === 'live' && stale === 0;
	const startedAt = stats.value?.manager.startedAt;
	return (
		<span class={`freshness ${isLive ? 'is-live' : 'is-old'}`}>
			<i aria-hidden="true" />
			<span role="status">{isLive ? 'live' : 'not connected'}</span>
			{!isLive && <span>as of {age(stale * 1000)} ago</span>}
			{isLive && startedAt !== undefined && (
				<span class="quiet" title={`since ${fullTime(startedAt)}`}>
					up {age(now.value - startedAt)}
				</span>
			)}
		</span>
	);
}

function ThemeChoice() {
	return (
		<select
			aria-label="Colours"
			value={theme.value}
			onChange={(event) => applyTheme((event.currentTarget as HTMLSelectElement).value as Theme)}
		>
			<option value="system">System</option>
			<option value="light">Light</option>
			<option value="dark">Dark</option>
		</select>
	);
}
