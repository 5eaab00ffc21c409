// Events that crashed their workers again and again: they were not delivered, and are kept in files for a developer.
import { computed } from '@preact/signals';
import { eventKey, events, selectShard } from './fleet.ts';
import { clockTime, fullTime } from './format.ts';

const shown = computed(() => events.value.filter(({ notice }) => notice?.kind === 'events:poisoned').toReversed());

export function SetAside() {
	if (shown.value.length === 0) return null;
	return (
		<section class="card" aria-labelledby="set-aside-title">
			<div class="section-head">
				<h2 id="set-aside-title">Events set aside</h2>
				<span class="quiet">They crashed their worker repeatedly; each is in a file of the state folder.</span>
			</div>
			<ul class="set-aside" aria-label="Events set aside">
				{shown.value.map((event) => {
					const { at, text, notice } = event;
					return (
						<li key={eventKey(event)}>
							<time dateTime={new Date(at).toISOString()} title={fullTime(at)}>
								{clockTime(at)}
							</time>
							<span>{text}</span>
							<button type="button" onClick={() => selectShard(notice?.shardIds[0])}>
								Show shard {notice?.shardIds[0]}
							</button>
						</li>
					);
				})}
			</ul>
		</section>
	);
}
