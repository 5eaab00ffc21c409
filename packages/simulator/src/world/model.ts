// The objects of the world, in the very shape in which Discord sends them; only the fields that the simulator itself reads
// are typed, the rest is carried along. Discord: Resources.

interface Open {
	[field: string]: unknown;
}

export interface User extends Open {
	id: string;
	username: string;
	bot?: boolean;
}

export interface Member extends Open {
	user: User;
	nick: string | null;
	roles: string[];
	joined_at: string;
}

export interface Role extends Open {
	id: string;
	name: string;
	position: number;
	permissions: string;
}

export interface Channel extends Open {
	id: string;
	type: number;
	guild_id?: string;
	name?: string;
	parent_id?: string | null;
	last_message_id?: string | null;
}

export interface VoiceState extends Open {
	guild_id: string;
	channel_id: string | null;
	user_id: string;
	session_id: string;
}

export interface Message extends Open {
	id: string;
	channel_id: string;
	author: User;
	content: string;
	guild_id?: string;
}

export interface Presence extends Open {
	user: { id: string };
	status: string;
}

export interface Command extends Open {
	id: string;
	name: string;
	guild_id?: string;
}

export interface Webhook extends Open {
	id: string;
	name: string;
	token: string;
	channel_id: string;
	guild_id: string | null;
}

export interface Emoji extends Open {
	id: string | null;
	name: string;
}

export const channelTypes = {
	text: 0,
	dm: 1,
	voice: 2,
	category: 4,
	announcement: 5,
	announcementThread: 10,
	publicThread: 11,
	privateThread: 12,
	stage: 13,
	forum: 15,
} as const;

export function isThread(channel: Channel): boolean {
	return channel.type >= channelTypes.announcementThread && channel.type <= channelTypes.privateThread;
}

/** One fact of the world, on its way to the sessions that should hear of it. */
export interface WorldEvent {
	type: string;
	/** The guild by which it is routed; `null` goes to shard 0. Discord: Gateway, "Sharding". */
	guildId: string | null;
	data: object;
	/** In a direct message: other intents apply. */
	direct?: boolean;
	/** The user whom it is about, where that changes who may see it. */
	userId?: string;
	/** Only this guild state was changed by it, so a GUILD_CREATE that is sent later holds it already. */
	inGuildState?: boolean;
}
