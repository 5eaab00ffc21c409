// The table of the groups that read the event queue: those that are furthest behind first.

import { stats } from './fleet.ts';
import { age, count, decimal, plural } from './format.ts';

/** More groups than a bot has. */
const mostRows = 50;

export function Queue() {
	const queue = stats.value?.queue;
	if (!queue) return null;
	const isDeferring = queue.deferred > 0 || queue.deferFailed > 0;
	const sorted = queue.groups.toSorted((a, b) => b.lag - a.lag || (a.group < b.group ? -1 : 1));
	return (
		<section class="card" aria-labelledby="queue-title">
			<div class="section-head">
				<h2 id="queue-title">Event queue</h2>
				<span class="quiet">
					{queue.connected ? `${decimal(queue.writtenPerSecond)} events written per second` : 'Redis does not answer'}
					{isDeferring && `; ${plural(queue.deferred, 'interaction')} deferred, ${count(queue.deferFailed)} not`}
				</span>
			</div>
			{sorted.length === 0 ? (
				<p class="quiet">No group of workers has subscribed yet.</p>
			) : (
				<div class="scroll" role="group" aria-label="Table of groups" tabIndex={0}>
					<table>
						<thead>
							<tr>
								<th scope="col">Group</th>
								{['Workers', 'Waiting', 'Oldest', 'Handled per second', 'Redelivered', 'Expired', 'Missed', 'Given up'].map(
									(title) => (
										<th key={title} scope="col" class="number">
											{title}
										</th>
									),
								)}
							</tr>
						</thead>
						<tbody>
							{sorted.slice(0, mostRows).map((each) => (
								<tr key={each.group}>
									<td>{each.group}</td>
									<td class="number">{count(each.members)}</td>
									<td class="number">{count(each.lag)}</td>
									<td class="number">{each.lag === 0 ? '-' : age(each.oldestAgeMs)}</td>
									<td class="number">{decimal(each.handledPerSecond)}</td>
									<td class="number">{count(each.redelivered)}</td>
									<td class="number">{count(each.expired)}</td>
									<td class="number">{count(each.missed)}</td>
									<td class="number">{count(each.dead)}</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
		</section>
	);
}
