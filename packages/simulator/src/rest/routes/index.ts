// Every route that the simulator knows.
import type { Route } from '../route.js';
import { commandRoutes } from './commands.js';
import { gatewayRoutes } from './gateway.js';
import { guildRoutes } from './guilds.js';
import { interactionRoutes } from './interactions.js';
import { messageRoutes } from './messages.js';
import { userRoutes } from './users.js';

export const discordRoutes: readonly Route[] = [
	...gatewayRoutes,
	...userRoutes,
	...guildRoutes,
	...messageRoutes,
	...interactionRoutes,
	...commandRoutes,
];
