// Who may talk to the simulator. It listens on loopback, which every web page in a browser and every user of the machine can reach:
// a page is kept out by the names of Host and Origin, other users are kept out of the control API by a token where there is one.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { discordNames } from './discord-names.js';
import { RestError } from './rest/answer.js';

export interface AdmissionOptions {
	/** The address that the simulator listens on. */
	host: string;
	/** Further names under which clients may address it. */
	allowedHosts: readonly string[];
	/** Undefined: the control API asks for none. */
	controlToken?: string | undefined;
}

export class Admission {
	readonly #names: ReadonlySet<string>;
	readonly #controlToken: Buffer | undefined;

	constructor({ host, allowedHosts, controlToken }: AdmissionOptions) {
		this.#names = new Set(['localhost', host, ...allowedHosts, ...discordNames].map((name) => name.toLowerCase()));
		this.#controlToken = controlToken === undefined ? undefined : digest(controlToken);
	}

	/**
	 * Why a request is refused; undefined where it is admitted. A page that points a name of its own at this machine (DNS rebinding) shows
	 * by its Host, every other page by its Origin, which no bot sends. Discord's own names are no other page's.
	 */
	refusal({ headers }: IncomingMessage): RestError | undefined {
		if (headers.origin !== undefined)
			return new RestError(403, 0, 'web pages may not use the simulator (the request has an Origin)');
		const name = hostName(headers.host);
		if (name !== undefined && (isIP(name) > 0 || this.#names.has(name))) return undefined;
		return new RestError(
			403,
			0,
			`the simulator is not addressed as ${JSON.stringify(headers.host ?? '')}; use its IP address or localhost, or add the name to allowedHosts`,
		);
	}

	/** The same for a request to the control API, which an admitted request still needs the control token for. */
	controlRefusal({ headers }: IncomingMessage): RestError | undefined {
		if (!this.#controlToken) return undefined;
		const [, token = ''] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? [];
		if (timingSafeEqual(digest(token), this.#controlToken)) return undefined;
		return new RestError(401, 0, "this simulator's control API needs its control token: Authorization: Bearer …");
	}
}

/** `localhost:38300` → `localhost`, `[::1]:38300` → `::1`. */
function hostName(header: string | undefined): string | undefined {
	const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s/@]+))(?::\d{1,5})?$/i.exec(header ?? '');
	return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/** Of equal length whatever the text, as the comparison needs it. */
function digest(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}
