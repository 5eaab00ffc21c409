// Who may use the dashboard: a code that logs in once is exchanged for a session, which is a cookie and a key. A request needs both, and has
// to come from a page of this server. Sessions are signed and not kept, so that they outlive a restart of the manager.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Clock } from '@shardctl/core';

export type SessionRights = 'read' | 'act';

/** How long a code for a login is good. */
const codeMs = 10 * 60_000;
/** How long a session is good. */
const sessionMs = 7 * 24 * 3_600_000;
/** More logins than this do not wait at once; the oldest gives way. */
const maxCodes = 100;
/** The header with the key of a page: neither a form nor a page of another origin can send it. */
export const pageKeyHeader = 'x-shardctl-dashboard';

interface Login {
	rights: SessionRights;
	expiresAt: number;
}

export interface Session {
	cookie: string;
	/** For the page, which keeps it for its own origin: a cookie is sent to every port of a host, this is not. */
	pageKey: string;
	rights: SessionRights;
}

export interface SessionOptions {
	clock: Clock;
	/** Who has it can sign sessions. */
	secret: string;
	readOnly: boolean;
	/** Names under which the server may be addressed, beside addresses and localhost. */
	hosts: readonly string[];
}

export class Sessions {
	readonly #options: SessionOptions;
	readonly #key: Buffer;
	readonly #codes = new Map<string, Login>();
	/** Cookies belong to a host and not to a port: each fleet has a name of its own. */
	readonly cookieName: string;

	constructor(options: SessionOptions) {
		this.#options = options;
		this.#key = createHmac('sha256', options.secret).update('shardctl dashboard').digest();
		this.cookieName = `shardctl-${this.#sign('cookie name').slice(0, 10)}`;
	}

	/** A code that logs in once. */
	createCode(rights: SessionRights): { code: string; expiresAt: number } {
		const code = randomBytes(24).toString('base64url');
		const expiresAt = this.#options.clock.now() + codeMs;
		this.#codes.set(this.#sign(code), { rights: this.#options.readOnly ? 'read' : rights, expiresAt });
		if (this.#codes.size > maxCodes) this.#codes.delete(this.#codes.keys().next().value as string);
		return { code, expiresAt };
	}

	/** A session for a code, which is used up; undefined for one that is unknown, used or too old. */
	logIn(code: string): Session | undefined {
		// By its signature, so that the time of the search says nothing about codes.
		const id = this.#sign(code);
		const login = this.#codes.get(id);
		this.#codes.delete(id);
		const now = this.#options.clock.now();
		if (!login || login.expiresAt <= now) return undefined;
		const claims = `${login.rights}.${now + sessionMs}.${randomBytes(12).toString('base64url')}`;
		const value = `${claims}.${this.#sign(`session ${claims}`)}`;
		const attributes = `Path=/; Max-Age=${sessionMs / 1000}; HttpOnly; SameSite=Strict`;
		return { cookie: `${this.cookieName}=${value}; ${attributes}`, pageKey: this.#pageKey(value), rights: login.rights };
	}

	/** What a request may do by its session. */
	rightsOf(request: IncomingMessage): SessionRights | 'none' {
		if (!this.isOwnPage(request)) return 'none';
		const value = cookieOf(request, this.cookieName);
		const key = request.headers[pageKeyHeader];
		if (value === undefined || typeof key !== 'string') return 'none';
		const [rights, expiresAt, nonce, signature = ''] = value.split('.');
		const isValid = same(signature, this.#sign(`session ${rights}.${expiresAt}.${nonce}`)) && same(key, this.#pageKey(value));
		if (!isValid || !(Number(expiresAt) > this.#options.clock.now())) return 'none';
		return rights === 'act' && !this.#options.readOnly ? 'act' : 'read';
	}

	/** Whether a request is addressed to this server by a name that is its own, and does not come from a page of another origin. */
	isOwnPage({ headers: { host, origin, 'sec-fetch-site': site } }: IncomingMessage): boolean {
		if (host === undefined || !this.isOwnHost(host)) return false;
		if (origin !== undefined && hostOfOrigin(origin) !== host.toLowerCase()) return false;
		return site === undefined || site === 'same-origin' || site === 'none';
	}

	/** A name that an attacker may have pointed to this machine is not among them; an address cannot be pointed anywhere. */
	isOwnHost(host: string): boolean {
		const name = /^(\[[^\]]+\]|[^:]*)(:\d+)?$/.exec(host.toLowerCase())?.[1];
		if (name === undefined || name === '') return false;
		if (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
		return this.#options.hosts.some((own) => own.toLowerCase() === name);
	}

	#pageKey(cookie: string): string {
		return this.#sign(`page ${cookie}`);
	}

	#sign(text: string): string {
		return createHmac('sha256', this.#key).update(text).digest('base64url');
	}
}

function hostOfOrigin(origin: string): string | undefined {
	return /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
}

function cookieOf({ headers: { cookie } }: IncomingMessage, name: string): string | undefined {
	const found = (cookie ?? '').split(';').find((part) => part.trim().startsWith(`${name}=`));
	return found?.trim().slice(name.length + 1);
}

function same(one: string, other: string): boolean {
	const [a, b] = [Buffer.from(one), Buffer.from(other)];
	return a.length === b.length && timingSafeEqual(a, b);
}
