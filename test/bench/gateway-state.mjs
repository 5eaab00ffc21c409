// What the state of a shard costs: events a second, the snapshot for a worker, and memory of cold guilds.
// Run with `node --expose-gc test/bench/gateway-state.mjs [guilds]` after `pnpm build`.
import { ShardState } from '@shardctl/gateway';

const guildCount = Number(process.argv[2] ?? 1000);
const eventCount = 300_000;
const id = (kind, index) => String(BigInt(kind) * 1_000_000_000_000_000n + BigInt(index));

/** A guild of about 25 kB: names and hashes differ everywhere, so that they compress as badly as real ones. */
function guildOf(index) {
	const word = (salt) =>
		Math.sin(index * 7919 + salt)
			.toString(36)
			.slice(3, 12);
	const users = Array.from({ length: 40 }, (_, n) => ({
		id: id(100 + n, index * 64 + n),
		username: word(3000 + n),
		global_name: word(4000 + n),
		discriminator: '0',
		avatar: word(5000 + n) + word(6000 + n) + word(7000 + n),
		public_flags: 0,
		avatar_decoration_data: null,
		primary_guild: null,
		collectibles: null,
	}));
	return {
		id: id(500, index),
		name: word(0),
		icon: word(1),
		owner_id: users[0].id,
		features: ['COMMUNITY', 'NEWS'],
		joined_at: '2026-01-01T00:00:00.000000+00:00',
		member_count: 40,
		large: false,
		unavailable: false,
		roles: Array.from({ length: 20 }, (_, n) => ({
			id: id(600 + n, index),
			name: word(1000 + n),
			color: n * 4096,
			colors: { primary_color: n * 4096, secondary_color: null, tertiary_color: null },
			hoist: false,
			position: n,
			permissions: String(104_324_673 + n),
			managed: false,
			mentionable: false,
			flags: 0,
			icon: null,
			unicode_emoji: null,
		})),
		channels: Array.from({ length: 24 }, (_, n) => ({
			id: id(700 + n, index),
			type: n % 4 === 3 ? 2 : 0,
			name: word(2000 + n),
			position: n,
			topic: null,
			nsfw: false,
			parent_id: id(700, index),
			last_message_id: id(800 + n, index),
			rate_limit_per_user: 0,
			flags: 0,
			permission_overwrites: [{ id: id(500, index), type: 0, allow: '0', deny: String(1024 + n) }],
		})),
		threads: [],
		members: users.map((user, n) => ({
			user,
			nick: null,
			roles: [id(600 + (n % 20), index)],
			joined_at: `2025-0${1 + (n % 9)}-11T10:${10 + n}:00.000000+00:00`,
			premium_since: null,
			deaf: false,
			mute: false,
			flags: 0,
			pending: false,
			avatar: null,
			banner: null,
			communication_disabled_until: null,
		})),
		presences: users
			.slice(0, 10)
			.map((user) => ({ user: { id: user.id }, status: 'online', activities: [], client_status: { desktop: 'online' } })),
		voice_states: [],
		emojis: [],
		stickers: [],
		soundboard_sounds: [],
		stage_instances: [],
		guild_scheduled_events: [],
	};
}

function timed(run) {
	const begin = process.hrtime.bigint();
	const cpu = process.cpuUsage();
	const value = run();
	const used = process.cpuUsage(cpu);
	return { value, ms: Number(process.hrtime.bigint() - begin) / 1e6, cpuMs: (used.user + used.system) / 1000 };
}

const row = (what, figure) => console.log(`${what.padEnd(46)} ${figure}`);
const rounded = (number) => Math.round(number).toLocaleString('en');

const texts = Array.from({ length: guildCount }, (_, index) => JSON.stringify(guildOf(index)));
const rawBytes = texts.reduce((sum, text) => sum + text.length, 0);
row('guilds', `${guildCount} of ${(rawBytes / guildCount / 1000).toFixed(1)} kB`);

const state = ShardState.fromReady({ user: { id: '1', username: 'bot' }, guilds: [] }, { coldAfterMs: 0, freezeAtOnce: 50 });
for (const text of texts) state.apply({ t: 'GUILD_CREATE', d: JSON.parse(text) });

/** The data of `eventCount` events; parsing is the upstream's work and is not measured. */
function events(make) {
	return Array.from({ length: eventCount }, (_, n) => make(n, n % 200));
}
const user = (n, index) => ({ ...guildOf.cache[index].members[n % 40].user });
guildOf.cache = texts.slice(0, 200).map((text) => JSON.parse(text));

const kinds = {
	PRESENCE_UPDATE: (n, g) => ({
		guild_id: id(500, g),
		user: { id: user(n, g).id },
		status: 'idle',
		activities: [],
		client_status: { web: 'idle' },
	}),
	MESSAGE_CREATE: (n, g) => ({
		guild_id: id(500, g),
		channel_id: id(700 + (n % 24), g),
		id: id(900, n),
		author: user(n, g),
		member: { ...guildOf.cache[g].members[n % 40], user: undefined },
		content: 'hello',
		mentions: [],
	}),
	GUILD_MEMBER_UPDATE: (n, g) => ({
		...guildOf.cache[g].members[n % 40],
		user: user(n, g),
		guild_id: id(500, g),
		nick: `nick ${n}`,
	}),
	VOICE_STATE_UPDATE: (n, g) => ({
		guild_id: id(500, g),
		user_id: user(n, g).id,
		channel_id: id(703, g),
		session_id: 'x',
		deaf: false,
		mute: n % 2 === 0,
	}),
	CHANNEL_UPDATE: (n, g) => ({ ...guildOf.cache[g].channels[n % 24], guild_id: id(500, g), name: `channel ${n}` }),
	GUILD_AUDIT_LOG_ENTRY_CREATE: (n, g) => ({ guild_id: id(500, g), id: id(900, n) }),
};
for (const [t, make] of Object.entries(kinds)) {
	const data = events(make);
	for (let n = 0; n < 2000; n++) state.apply({ t, d: data[n] });
	const { cpuMs } = timed(() => {
		for (const d of data) state.apply({ t, d });
	});
	row(`apply ${t}`, `${rounded((eventCount / cpuMs) * 1000)} events/s of CPU time`);
}

const restored = timed(() => ShardState.restore(state.serialize()));
row('serialize and restore, all open', `${rounded(restored.cpuMs)} ms of CPU time`);

const open = timed(() => {
	let bytes = 0;
	for (const { json } of state.encodedGuildDispatches()) bytes += json.length;
	return bytes;
});
row('snapshot as text, all open', `${rounded(open.cpuMs)} ms of CPU time, ${rounded(open.value / 1000)} kB`);

const calls = [];
for (let now = 1; state.openGuildCount > 0; now++) calls.push(timed(() => state.compressCold(now)).cpuMs);
calls.sort((a, b) => a - b);
row(
	'freezing all',
	`${rounded(calls.reduce((a, b) => a + b, 0))} ms of CPU time in ${calls.length} calls, median ${calls[calls.length >> 1].toFixed(1)} ms`,
);
row('memory, all cold, as counted', `${(state.bytes / 1e6).toFixed(2)} MB`);

const frozen = timed(() => {
	let bytes = 0;
	for (const { json } of state.encodedGuildDispatches()) bytes += json.length;
	return bytes;
});
row('snapshot as text, all cold', `${rounded(frozen.cpuMs)} ms of CPU time`);
const objects = timed(() => [...state.guildDispatches()].length);
row('snapshot as objects, all cold', `${rounded(objects.cpuMs)} ms of CPU time`);
const saved = timed(() => state.serialize());
row('serialize, all cold', `${rounded(saved.cpuMs)} ms of CPU time, ${(saved.value.length / 1e6).toFixed(2)} MB`);

if (globalThis.gc) {
	const bytes = saved.value;
	const measure = () => {
		globalThis.gc();
		const { heapUsed, arrayBuffers } = process.memoryUsage();
		return heapUsed + arrayBuffers;
	};
	const before = measure();
	const kept = ShardState.restore(bytes);
	row('memory, all cold, as measured', `${((measure() - before) / 1e6).toFixed(2)} MB for ${kept.guildCount} guilds`);
}
