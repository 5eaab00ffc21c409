// Every route that the simulator knows.
import type { Route } from '../route.js';
import { channelRoutes } from './channels.js';
import { commandRoutes } from './commands.js';
import { gatewayRoutes } from './gateway.js';
import { guildRoutes } from './guilds.js';
import { interactionRoutes } from './interactions.js';
import { memberRoutes } from './members.js';
import { messageRoutes } from './messages.js';
import { reactionRoutes } from './reactions.js';
import { userRoutes } from './users.js';
import { webhookRoutes } from './webhooks.js';

export const discordRoutes: readonly Route[] = [
	...gatewayRoutes,
	...userRoutes,
	...guildRoutes,
	...memberRoutes,
	...channelRoutes,
	...messageRoutes,
	...reactionRoutes,
	...interactionRoutes,
	...commandRoutes,
	...webhookRoutes,
];
