// Every shard at a glance: colour and shape say how it is; in a cluster by node. Arrow keys move, Enter selects.
import { computed } from '@preact/signals';
import { Component, type JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { cluster, clusterStaleSeconds, selectedShard, selectShard, stats } from './fleet.ts';
import { age, count, plural } from './format.ts';
import { GuildSearch } from './guild-search.tsx';
import { type NodeGroup, nodeGroups } from './node-groups.ts';
import { NodeHead, nodeTitle } from './node-head.tsx';
import { countLooks, type Look, looks, type ShownShard, shownShards } from './shard-look.ts';

export const shown = computed(() => (stats.value ? shownShards(stats.value, cluster.value) : []));
const groups = computed(() => (cluster.value ? nodeGroups(shown.value, cluster.value) : undefined));

export function ShardGrid() {
	const cells = shown.value;
	const area = useRef<HTMLDivElement>(null);
	const counts = countLooks(cells);
	const size = cells.length <= 32 ? 'large' : cells.length <= 300 ? 'medium' : 'small';
	const ordered = groups.value?.flatMap(({ shards }) => shards) ?? cells;
	const focusable = cells.some(({ shardId }) => shardId === selectedShard.value) ? selectedShard.value : ordered[0]?.shardId;
	const grid = (shards: readonly ShownShard[]) => (
		<div class={`grid is-${size}`}>
			{shards.map(({ shardId, look, words }) => (
				<Cell
					key={shardId}
					id={shardId}
					look={look}
					words={words}
					isSelected={shardId === selectedShard.value}
					isFocusable={shardId === focusable}
				/>
			))}
		</div>
	);
	return (
		<section class="card shards" aria-labelledby="shards-title">
			<div class="section-head">
				<h2 id="shards-title">
					Shards
					{groups.value && <span class="quiet"> on {plural(cluster.value?.nodes.length ?? 0, 'node')}</span>}
					{clusterStaleSeconds.value > 0 && (
						<span class="is-stale"> · nodes as of {age(clusterStaleSeconds.value * 1000)} ago</span>
					)}
				</h2>
				<GuildSearch />
			</div>
			<div ref={area} role="group" aria-labelledby="shards-title" onKeyDown={(event) => moveFocus(event, area.current)}>
				{groups.value ? groups.value.map((group) => <Node key={group.name} group={group} grid={grid} />) : grid(cells)}
			</div>
			<ul class="legend" aria-label="How many shards are in which state">
				{(Object.keys(looks) as Look[])
					.filter((look) => counts[look] > 0 || look === 'ready')
					.map((look) => (
						<li key={look}>
							<i class={`shape shape-${look}`} aria-hidden="true" />
							{count(counts[look])} {looks[look]}
						</li>
					))}
			</ul>
		</section>
	);
}

interface NodeProps {
	group: NodeGroup;
	grid(shards: readonly ShownShard[]): JSX.Element;
}

function Node({ group, grid }: NodeProps) {
	return (
		<section class="node" aria-label={nodeTitle(group)}>
			<NodeHead group={group} />
			{group.shards.length > 0 ? grid(group.shards) : <p class="quiet empty-node">No shard.</p>}
		</section>
	);
}

/** To the next cell, or to the nearest one of the row above or below, which may be another node's. */
function moveFocus(event: KeyboardEvent, area: HTMLElement | null): void {
	const cells = [...(area?.querySelectorAll<HTMLButtonElement>('.cell') ?? [])];
	const at = cells.indexOf(document.activeElement as HTMLButtonElement);
	if (at < 0) return;
	const to = targetOf(event.key, cells, at);
	if (!to) return;
	event.preventDefault();
	to.focus();
}

function targetOf(key: string, cells: readonly HTMLButtonElement[], at: number): HTMLButtonElement | undefined {
	if (key === 'ArrowRight') return cells[at + 1];
	if (key === 'ArrowLeft') return cells[at - 1];
	if (key === 'Home') return cells[0];
	if (key === 'End') return cells.at(-1);
	if (key !== 'ArrowDown' && key !== 'ArrowUp') return undefined;
	const from = (cells[at] as HTMLButtonElement).getBoundingClientRect();
	const beyond = cells
		.map((cell) => ({ cell, box: cell.getBoundingClientRect() }))
		.filter(({ box }) => (key === 'ArrowDown' ? box.top >= from.bottom : box.bottom <= from.top));
	const tops = beyond.map(({ box }) => box.top);
	const row = key === 'ArrowDown' ? Math.min(...tops) : Math.max(...tops);
	const inRow = beyond.filter(({ box }) => box.top === row);
	return inRow.sort((a, b) => Math.abs(a.box.left - from.left) - Math.abs(b.box.left - from.left))[0]?.cell;
}

interface CellProps {
	id: number;
	look: ShownShard['look'];
	words: string;
	isSelected: boolean;
	isFocusable: boolean;
}

/** Of a thousand cells, those that are as they were are not rendered again. */
class Cell extends Component<CellProps> {
	override shouldComponentUpdate(next: CellProps): boolean {
		const { look, words, isSelected, isFocusable } = this.props;
		return look !== next.look || words !== next.words || isSelected !== next.isSelected || isFocusable !== next.isFocusable;
	}

	readonly onClick = () => selectShard(this.props.id);

	override render({ id, look, words, isSelected, isFocusable }: CellProps) {
		return (
			<button
				type="button"
				class={`cell look-${look}`}
				aria-label={`Shard ${id}: ${words}`}
				title={`Shard ${id}: ${words}`}
				aria-pressed={isSelected}
				tabIndex={isFocusable ? 0 : -1}
				onClick={this.onClick}
			>
				<i class={`shape shape-${look}`} aria-hidden="true" />
				<span aria-hidden="true">{id}</span>
			</button>
		);
	}
}
