// What a fleet has lost since it started, as one line for an operator. Pure.
import { describeLosses } from '@shardctl/core';
import type { ManagerStats } from '@shardctl/manager';
import { age } from '../terminal/age.js';
import { out } from '../terminal/colours.js';
import { wrap } from '../terminal/wrap.js';

/** A loss that is older than this is history. */
const recentMs = 10 * 60_000;

/** No line before the first loss: `▲ 55 events lost since the start; last 3m ago, shard 7: the buffer was full`. */
export function lossLines(losses: ManagerStats['losses'], { width, nowMs }: { width: number; nowMs: number }): string[] {
	const described = losses && describeLosses(losses);
	if (!losses?.last || !described) return [];
	const agoMs = Math.max(0, nowMs - losses.last.at);
	const line = `${described.total} since the start; last ${age(agoMs)} ago, ${described.last}`;
	return agoMs < recentMs ? wrap(`▲ ${line}`, width).map(out.yellow) : wrap(line, width).map(out.dim);
}
