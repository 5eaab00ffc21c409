// Every shard at a glance: colour and shape say how it is. Arrow keys move, Enter selects.
import { computed } from '@preact/signals';
import { Component } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { mayAct, selectedShard, stats } from './fleet.ts';
import { count } from './format.ts';
import { request } from './session.ts';
import { countLooks, type Look, looks, type ShownShard, shownShards } from './shard-look.ts';

export const shown = computed(() => (stats.value ? shownShards(stats.value) : []));

export function ShardGrid() {
	const cells = shown.value;
	const list = useRef<HTMLDivElement>(null);
	const counts = countLooks(cells);
	const size = cells.length <= 32 ? 'large' : cells.length <= 300 ? 'medium' : 'small';
	const focusable = cells.some(({ shard }) => shard.shardId === selectedShard.value)
		? selectedShard.value
		: cells[0]?.shard.shardId;
	const onKeyDown = (event: KeyboardEvent) => {
		const buttons = [...(list.current?.querySelectorAll('button') ?? [])];
		const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
		const first = buttons[0]?.offsetTop;
		const columns = Math.max(1, buttons.filter(({ offsetTop }) => offsetTop === first).length);
		const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
		const step = steps[event.key];
		const to = step !== undefined ? at + step : event.key === 'Home' ? 0 : event.key === 'End' ? buttons.length - 1 : undefined;
		if (at < 0 || to === undefined) return;
		event.preventDefault();
		buttons[to]?.focus();
	};
	return (
		<section class="card" aria-labelledby="shards-title">
			<div class="section-head">
				<h2 id="shards-title">Shards</h2>
				<GuildSearch />
			</div>
			<div class={`grid is-${size}`} role="group" aria-labelledby="shards-title" ref={list} onKeyDown={onKeyDown}>
				{cells.map(({ shard: { shardId }, look, words }) => (
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
			<ul class="legend" aria-label="How many shards are in which state">
				{(Object.keys(looks) as Look[])
					.filter((look) => counts[look] > 0 || look === 'ready')
					.map((look) => (
						<li key={look}>
							<i class={`shape shape-${look}`} aria-hidden="true" />
							{count(counts[look])} {looks[look]}
						</li>
					))}
				{selectedShard.value === undefined && <li class="hint">Select one for its figures, its worker and its last exit.</li>}
			</ul>
		</section>
	);
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

	readonly onClick = () => {
		selectedShard.value = this.props.id;
	};

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

/** Discord: "Sharding", `(guild_id >> 22) % num_shards`. */
function shardOfGuild(guildId: string, totalShards: number): number {
	return Number((BigInt(guildId) >> 22n) % BigInt(totalShards));
}

function GuildSearch() {
	const [answer, setAnswer] = useState('');
	const onSubmit = async (event: Event) => {
		event.preventDefault();
		const guildId = new FormData(event.currentTarget as HTMLFormElement).get('guild')?.toString().trim() ?? '';
		const total = stats.value?.manager.totalShards ?? 0;
		if (!/^\d{1,20}$/.test(guildId) || total === 0) return setAnswer(guildId === '' ? '' : 'That is not the id of a guild.');
		const shardId = shardOfGuild(guildId, total);
		selectedShard.value = shardId;
		setAnswer(`Shard ${shardId}.`);
		if (!mayAct.value) return;
		try {
			const found = (await (await request(`/v1/guilds/${guildId}`)).json()) as { guild: { name: string | null } | null };
			setAnswer(
				found.guild ? `Shard ${shardId}: ${found.guild.name ?? 'unnamed'}.` : `Shard ${shardId}; its worker does not answer.`,
			);
		} catch (error) {
			setAnswer(error instanceof Error ? error.message : String(error));
		}
	};
	return (
		<form class="search" onSubmit={(event) => void onSubmit(event)}>
			<input
				name="guild"
				inputMode="numeric"
				placeholder="Guild id"
				aria-label="Find the shard of a guild by its id"
				autocomplete="off"
			/>
			<button type="submit">Find</button>
			<span role="status" class="quiet">
				{answer}
			</span>
		</form>
	);
}
