// Direct message channels: one per recipient, opened by either side.
import { type Channel, channelTypes, type User } from '../model.js';
import type { World } from '../world.js';

export function openDirectChannel(world: World, recipient: User): Channel {
	for (const channel of world.directChannels.values()) {
		if ((channel.recipients as User[])[0]?.id === recipient.id) return channel;
	}
	const channel: Channel = {
		id: world.ids.next(),
		type: channelTypes.dm,
		last_message_id: null,
		recipients: [recipient],
		flags: 0,
	};
	world.directChannels.set(channel.id, channel);
	return channel;
}
