// The table of workers: those with a problem first.

import { signal } from '@preact/signals';
import type { WorkerStats } from '@shardctl/core';
import { workerLook } from './details.tsx';
import { cluster, now, selectWorker, stats } from './fleet.ts';
import { age, bytes, count, decimal, shardRange, unknown } from './format.ts';

const firstRows = 20;
const showsAll = signal(false);

export function Workers() {
	const figures = stats.value;
	if (!figures) return null;
	const cpu = new Map<number, number>();
	for (const { workerId, cpuPercent } of figures.shards)
		if (cpuPercent !== null && workerId !== null) cpu.set(workerId, (cpu.get(workerId) ?? 0) + cpuPercent);
	const sorted = figures.workers.toSorted((a, b) => problem(b) - problem(a) || a.id - b.id);
	const rows = showsAll.value ? sorted : sorted.slice(0, firstRows);
	return (
		<section class="card" aria-labelledby="workers-title">
			<div class="section-head">
				<h2 id="workers-title">Workers</h2>
				<span class="quiet">{count(sorted.length)}</span>
			</div>
			<div class="scroll" role="group" aria-label="Table of workers" tabIndex={0}>
				<table>
					<thead>
						<tr>
							<th scope="col">Worker</th>
							<th scope="col">Shards</th>
							{cluster.value && <th scope="col">Node</th>}
							<th scope="col">State</th>
							<th scope="col" class="number">
								Process
							</th>
							<th scope="col" class="number">
								Memory
							</th>
							<th scope="col" class="number">
								Processor
							</th>
							<th scope="col" class="number">
								Restarts
							</th>
							<th scope="col" class="reason">
								Last exit
							</th>
						</tr>
					</thead>
					<tbody>
						{rows.map((worker) => (
							<Row key={`${worker.node ?? ''}/${worker.id}`} worker={worker} cpu={cpu.get(worker.id)} />
						))}
					</tbody>
				</table>
			</div>
			{sorted.length > firstRows && (
				<button type="button" onClick={() => (showsAll.value = !showsAll.value)}>
					{showsAll.value ? 'Show fewer' : `Show all ${count(sorted.length)}`}
				</button>
			)}
		</section>
	);
}

function problem(worker: WorkerStats): number {
	return worker.state === 'ready' ? 0 : 1;
}

function Row({ worker, cpu }: { worker: WorkerStats; cpu: number | undefined }) {
	const { id, shardIds, node, state, since, pid, rssBytes, memoryLimitBytes, restarts, lastExit } = worker;
	return (
		<tr>
			<td>
				<button type="button" class="link" onClick={() => selectWorker(id)}>
					Worker {id}
				</button>
			</td>
			<td>{shardRange(shardIds)}</td>
			{cluster.value && <td>{node ?? unknown}</td>}
			<td>
				<i class={`shape shape-${workerLook(state)}`} aria-hidden="true" /> {state}{' '}
				<span class="quiet">{age(now.value - since)}</span>
			</td>
			<td class="number">{pid ?? unknown}</td>
			<td class="number">
				{bytes(rssBytes)}
				{memoryLimitBytes !== null && <span class="quiet"> of {bytes(memoryLimitBytes)}</span>}
			</td>
			<td class="number">{decimal(cpu, '%')}</td>
			<td class="number">{count(restarts)}</td>
			<td class="reason">{lastExit ? `${lastExit.message} (${age(now.value - lastExit.at)} ago)` : unknown}</td>
		</tr>
	);
}
