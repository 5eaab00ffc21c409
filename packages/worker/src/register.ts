// The module that the manager has node load before the bot (`node --import`). In a process that is no worker it does nothing.
import { takeBrief } from './brief.js';
import { hookDiscordJs } from './discordjs/hook.js';
import { startRuntime } from './runtime.js';

const brief = takeBrief(process.env);
if (brief) hookDiscordJs(startRuntime(brief));
