// The head of a node in the grid: how it is, what it has, and what can be done with it.
import { askDrain, askStopNode, askUndoDrain } from './actions.tsx';
import { canMove, cluster, hello, mayAct, stats } from './fleet.ts';
import { bytes, plural } from './format.ts';
import { type NodeGroup, nodeHint, nodeLooks, otherNodes } from './node-groups.ts';

export function nodeTitle({ name }: NodeGroup): string {
	return name === null ? 'Shards on no node' : `Node ${name}`;
}

export function NodeHead({ group: { name, node, shards } }: { group: NodeGroup }) {
	if (name === null) {
		return (
			<div class="node-head">
				<h3>
					<i class="shape shape-down" aria-hidden="true" /> On no node
				</h3>
				<span class="quiet">{plural(shards.length, 'shard')}</span>
			</div>
		);
	}
	const hint = node ? nodeHint(node, hello.value?.version ?? '') : 'the cluster no longer knows it';
	return (
		<div class="node-head">
			<h3>
				<i class={`shape shape-${node ? nodeLooks[node.status] : 'down'}`} aria-hidden="true" /> {name}
			</h3>
			<span class={`node-status is-${node?.status ?? 'gone'}`}>{node?.status ?? 'unknown'}</span>
			<span class="quiet">{factsOf(name, node).join(' · ')}</span>
			{hint !== '' && <span class="quiet node-hint">{hint}</span>}
			{node && mayAct.value && <NodeActions name={name} status={node.status} />}
		</div>
	);
}

function factsOf(name: string, node: NodeGroup['node']): string[] {
	const memory = stats.value?.workers.reduce((sum, worker) => sum + (worker.node === name ? (worker.rssBytes ?? 0) : 0), 0) ?? 0;
	return [
		...(node ? [plural(node.shards, 'shard')] : []),
		...(node && node.workers !== null ? [plural(node.workers, 'worker')] : []),
		...(node && node.capacity !== null ? [`${plural(node.sessions, 'session')} of at most ${node.capacity}`] : []),
		...(memory > 0 ? [bytes(memory)] : []),
		...(name === cluster.value?.node ? ['serves this page'] : []),
	];
}

function NodeActions({ name, status }: { name: string; status: string }) {
	if (status === 'gone') return null;
	return (
		<span class="node-actions">
			{canMove.value &&
				(status === 'draining' ? (
					<button type="button" class="small" aria-label={`End the drain of node ${name}`} onClick={() => askUndoDrain(name)}>
						End the drain
					</button>
				) : (
					<button
						type="button"
						class="small"
						aria-label={`Drain node ${name}`}
						disabled={cluster.value === undefined || otherNodes(cluster.value, name).length === 0}
						title="Move its sessions to the other nodes"
						onClick={() => askDrain(name)}
					>
						Drain
					</button>
				))}
			<button type="button" class="small danger" aria-label={`Stop node ${name}`} onClick={() => askStopNode(name)}>
				Stop
			</button>
		</span>
	);
}
