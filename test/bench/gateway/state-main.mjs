// The process that measures the cost of a shard's state alone: events a second of processor time, the snapshot for a worker,
// and memory of guilds without events. It needs --expose-gc.
import { ipcPort, Peer } from '@shardctl/rpc';
import { guildOf, id } from './guild.mjs';

// Inside the package: nothing outside needs the state alone.
const { ShardState } = await import(new URL('../state/shard-state.js', import.meta.resolve('@shardctl/gateway/process')));
const peer = new Peer({ port: ipcPort(process), epoch: 1 });
const eventCount = 50_000;
const busyGuilds = 200;

const guilds = Array.from({ length: busyGuilds }, (_, index) => guildOf(index));
const scene = (n) => {
	const guild = guilds[n % busyGuilds];
	return { guild, member: guild.members[n % 30], channel: guild.channels[n % 20] };
};
/** What one event of each kind carries. */
const kinds = {
	MESSAGE_CREATE(n) {
		const { guild, member, channel } = scene(n);
		const { user, ...rest } = member;
		return {
			guild_id: guild.id,
			channel_id: channel.id,
			id: id(900, n),
			author: user,
			member: rest,
			content: 'hello',
			mentions: [],
		};
	},
	GUILD_MEMBER_UPDATE(n) {
		const { guild, member } = scene(n);
		return { ...member, guild_id: guild.id, nick: `nick ${n}` };
	},
	PRESENCE_UPDATE(n) {
		const { guild, member } = scene(n);
		return { guild_id: guild.id, user: { id: member.user.id }, status: 'idle', activities: [], client_status: { web: 'idle' } };
	},
	VOICE_STATE_UPDATE(n) {
		const { guild, member } = scene(n);
		const mute = n % 2 === 0;
		return { guild_id: guild.id, user_id: member.user.id, channel_id: guild.channels[3].id, session_id: 'x', deaf: false, mute };
	},
	CHANNEL_UPDATE(n) {
		const { guild, channel } = scene(n);
		return { ...channel, guild_id: guild.id, name: `channel ${n}` };
	},
};

function stateOf(texts) {
	const state = ShardState.fromReady({ user: { id: '1', username: 'bot' }, guilds: [] }, { coldAfterMs: 0 });
	for (const text of texts) state.apply({ t: 'GUILD_CREATE', d: JSON.parse(text) });
	return state;
}

function cpuMsOf(run) {
	const before = process.cpuUsage();
	run();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1000;
}

function memory() {
	// Twice: the second run frees what the first one finds unused.
	globalThis.gc();
	globalThis.gc();
	const { heapUsed, external, rss } = process.memoryUsage();
	return { used: heapUsed + external, rss };
}

/** Events per second of processor time, each kind separately. Parsing is the upstream's work and not included. */
peer.handle('apply', () => {
	const state = stateOf(guilds.map((guild) => JSON.stringify(guild)));
	return Object.entries(kinds).map(([t, make]) => {
		// As the upstream has them: fresh from the parser, which creates other objects than literals do.
		const data = Array.from({ length: eventCount }, (_, n) => JSON.parse(JSON.stringify(make(n))));
		for (let n = 0; n < 5000; n++) state.apply({ t, d: data[n] });
		globalThis.gc();
		const spent = cpuMsOf(() => {
			for (const d of data) state.apply({ t, d });
		});
		return { t, perSecond: (eventCount / spent) * 1000 };
	});
});

/** A number of guilds, all cold: bytes on the heap and outside it, the growth of the process, and the snapshot for a worker. */
peer.handle('cold', ({ count }) => {
	const before = memory();
	let rawBytes = 0;
	let longestMs = 0;
	const state = stateOf([]);
	// As a session begins: each guild is added, and then frozen.
	for (let index = 0; index < count; index++) {
		const text = JSON.stringify(guildOf(index));
		rawBytes += text.length;
		state.apply({ t: 'GUILD_CREATE', d: JSON.parse(text) });
		const startedAt = performance.now();
		state.compressCold(index);
		longestMs = Math.max(longestMs, performance.now() - startedAt);
	}
	if (state.openGuildCount > 0) throw new Error(`${state.openGuildCount} guilds are not cold`);
	const after = memory();
	const snapshotMs = cpuMsOf(() => {
		for (const { json } of state.encodedGuildDispatches()) if (json.length === 0) throw new Error('an empty guild');
	});
	return {
		rawBytes,
		usedBytes: after.used - before.used,
		rssBytes: after.rss - before.rss,
		countedBytes: state.bytes,
		longestMs,
		snapshotMs,
	};
});
