// Which shard has a guild: by Discord's formula, and whether the bot is in it by asking its worker.
import { useState } from 'preact/hooks';
import { mayAct, selectShard, stats } from './fleet.ts';
import { readJson, request } from './session.ts';

/** Discord: "Sharding", `(guild_id >> 22) % num_shards`. */
function shardOfGuild(guildId: string, totalShards: number): number {
	return Number((BigInt(guildId) >> 22n) % BigInt(totalShards));
}

export function GuildSearch() {
	const [answer, setAnswer] = useState('');
	const onSubmit = async (event: Event) => {
		event.preventDefault();
		const guildId = new FormData(event.currentTarget as HTMLFormElement).get('guild')?.toString().trim() ?? '';
		const total = stats.value?.manager.totalShards ?? 0;
		if (!/^\d{1,20}$/.test(guildId) || total === 0) return setAnswer(guildId === '' ? '' : 'That is not the id of a guild.');
		const shardId = shardOfGuild(guildId, total);
		selectShard(shardId);
		setAnswer(`Shard ${shardId}.`);
		if (!mayAct.value) return;
		try {
			const response = await request(`/v1/guilds/${guildId}`);
			const { guild } = (await readJson(response)) as { guild: { name: string | null } | null };
			setAnswer(guild ? `Shard ${shardId}: ${guild.name ?? 'unnamed'}.` : `Shard ${shardId}; its worker does not answer.`);
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
