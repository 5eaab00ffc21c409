// How a config file is to be written.
import type { ConfigFormat } from './config-text.js';

export interface InitOptions {
	/** No prompts. */
	yes?: boolean;
	format?: ConfigFormat;
	/** Replace an existing config file. */
	force?: boolean;
}
