// The option `control` of a manager: whether it serves the control API, and where besides its own socket.
import { z } from 'zod';

export interface ControlOptions {
	/** Serve over TCP as well, on this port; 0 picks a free one. */
	port?: number;
	/** Default 127.0.0.1. */
	host?: string;
	/** What clients over TCP must send (default: `SHARDCTL_CONTROL_TOKEN`, else one is generated and kept in the state folder). */
	token?: string;
	/**
	 * What a client over TCP may send instead, to read figures, metrics, health and events and nothing else (default:
	 * `SHARDCTL_CONTROL_READ_TOKEN`, else one is generated and kept in the state folder).
	 */
	readToken?: string;
	/** Whether clients over TCP may run code in the bot (default `false`). */
	allowEval?: boolean;
	/**
	 * Serve the dashboard over TCP from the start (default `false`: from when `shardctl dashboard` asks for it). A number is its
	 * port; `true` is that of `port`, else 7462, else any free one.
	 */
	dashboard?: boolean | number;
	/** Whether no browser may act on the fleet (default `false`). */
	dashboardReadOnly?: boolean;
	/** Names under which browsers reach the dashboard, beside addresses and `localhost`; for one behind a proxy. */
	dashboardHosts?: string[];
}

/** Shorter tokens could be guessed. */
export const shortestToken = 16;

const port = { error: 'must be a port from 0 to 65535' };
const portNumber = z.number(port).int(port).min(0, port).max(65_535, port);

export const controlSchema = z.union(
	[
		z.boolean(),
		z.strictObject({
			port: portNumber.optional(),
			host: z.string().optional(),
			token: z
				.string()
				.min(shortestToken, {
					error: `must have at least ${shortestToken} characters, because it gives full control of the fleet`,
				})
				.optional(),
			readToken: z
				.string()
				.min(shortestToken, { error: `must have at least ${shortestToken} characters, because it can be guessed otherwise` })
				.optional(),
			allowEval: z.boolean({ error: 'must be true or false' }).optional(),
			dashboard: z.union([z.boolean(), portNumber], { error: 'must be true, false or a port from 0 to 65535' }).optional(),
			dashboardReadOnly: z.boolean({ error: 'must be true or false' }).optional(),
			dashboardHosts: z.array(z.string(), { error: 'must be a list of host names' }).optional(),
		}),
	],
	{ error: 'must be true, false or { port, host, token, readToken, allowEval, dashboard, dashboardReadOnly, dashboardHosts }' },
);
