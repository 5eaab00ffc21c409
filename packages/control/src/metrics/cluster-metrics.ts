// The metrics of a node of a cluster. Absent without a cluster, and before it has joined.
import type { NodeStep } from '../fleet/node-steps.js';
import { type Metric, per, seconds } from './metric.js';

const step = per<NodeStep>({
	labels: ['kind'],
	of: ({ nodeSteps }) => [...(nodeSteps ?? [])].map(([name, totals]) => [{ kind: name }, totals] as const),
});

export const clusterMetrics: readonly Metric[] = [
	step.counter(
		'shardctl_cluster_steps_total',
		'How often this node has joined or left the cluster, was muted and confirmed again, and got a session: by a first start, a move, or a takeover.',
		({ count }) => count,
	),
	step.counter('shardctl_cluster_step_seconds_total', 'How long these steps took, all together.', ({ ms }) => seconds(ms)),
];
