import type { IncomingMessage } from 'node:http';
import { type FakeClock, fakeClock } from '@shardctl/test-support';
import { beforeEach, expect, it } from 'vitest';
import { type Session, Sessions } from './sessions.js';

const secret = 'the token of the control API';
let clock: FakeClock;
beforeEach(() => {
	clock = fakeClock();
});

const make = (more: Partial<ConstructorParameters<typeof Sessions>[0]> = {}) =>
	new Sessions({ clock, secret, readOnly: false, hosts: [], ...more });

const request = (headers: Record<string, string>) =>
	({ headers: { host: '127.0.0.1:7462', ...headers } }) as unknown as IncomingMessage;
const withSession = ({ cookie, pageKey }: Session, more: Record<string, string> = {}) =>
	request({ cookie: `theme=dark; ${cookie.split(';')[0]}`, 'x-shardctl-dashboard': pageKey, ...more });
const logIn = (sessions: Sessions, rights: 'read' | 'act' = 'act') => sessions.logIn(sessions.createCode(rights).code) as Session;

it('takes a code once', () => {
	const sessions = make();
	const { code } = sessions.createCode('act');
	expect(sessions.logIn(code)?.rights).toBe('act');
	expect(sessions.logIn(code)).toBeUndefined();
	expect(sessions.logIn('')).toBeUndefined();
});

it('takes no code that is older than ten minutes', async () => {
	const sessions = make();
	const { code } = sessions.createCode('act');
	await clock.advance(10 * 60_000);
	expect(sessions.logIn(code)).toBeUndefined();
});

it('keeps the hundred newest codes', () => {
	const sessions = make();
	const codes = Array.from({ length: 101 }, () => sessions.createCode('act').code);
	expect(sessions.logIn(codes[0] as string)).toBeUndefined();
	expect(sessions.logIn(codes[1] as string)).toBeDefined();
});

it('allows what the code allowed, for a week', async () => {
	const sessions = make();
	const [actor, reader] = [logIn(sessions, 'act'), logIn(sessions, 'read')];
	expect(sessions.rightsOf(withSession(actor))).toBe('act');
	expect(sessions.rightsOf(withSession(reader))).toBe('read');
	await clock.advance(7 * 24 * 3_600_000);
	expect(sessions.rightsOf(withSession(actor))).toBe('none');
});

it('accepts a session after a restart of the manager, and not with another token', () => {
	const session = logIn(make());
	expect(make().rightsOf(withSession(session))).toBe('act');
	expect(make({ secret: 'another' }).rightsOf(withSession(session))).toBe('none');
});

it('lets no session act where the dashboard is read-only, not even one from before', () => {
	const session = logIn(make());
	const readOnly = make({ readOnly: true });
	expect(readOnly.rightsOf(withSession(session))).toBe('read');
	expect(logIn(readOnly).rights).toBe('read');
});

it('needs the cookie and the key of the page, both unchanged', () => {
	const sessions = make();
	const [mine, other] = [logIn(sessions), logIn(sessions, 'read')];
	expect(sessions.rightsOf(withSession({ ...mine, pageKey: '' }))).toBe('none');
	expect(sessions.rightsOf(withSession({ ...mine, pageKey: other.pageKey }))).toBe('none');
	expect(sessions.rightsOf(withSession({ ...mine, cookie: '' }))).toBe('none');
	expect(sessions.rightsOf(withSession({ ...other, cookie: other.cookie.replace('=read.', '=act.') }))).toBe('none');
	expect(sessions.rightsOf(withSession({ ...mine, cookie: mine.cookie.replace(/\.(\d+)\./, '.9$1.') }))).toBe('none');
	expect(sessions.rightsOf(request({ cookie: `${sessions.cookieName}=`, 'x-shardctl-dashboard': mine.pageKey }))).toBe('none');
});

it('gives a cookie that scripts and other sites cannot use', () => {
	expect(logIn(make()).cookie).toMatch(/^shardctl-[\w-]{10}=.*; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/);
});

it.each([
	['127.0.0.1:7462', true],
	['[::1]:7462', true],
	['10.0.0.7', true],
	['localhost:9999', true],
	['bot.localhost', true],
	['fleet.example.com', true],
	['FLEET.example.com:443', true],
	['attacker.example:7462', false],
	['localhost.attacker.example', false],
	['127.0.0.1.attacker.example', false],
	['', false],
	[':7462', false],
])('is addressed as %s: %s', (host, own) => {
	expect(make({ hosts: ['fleet.example.com'] }).isOwnHost(host)).toBe(own);
});

it.each([
	[{}, 'act'],
	[{ origin: 'http://127.0.0.1:7462', 'sec-fetch-site': 'same-origin' }, 'act'],
	// Behind a proxy that ends TLS.
	[{ origin: 'https://127.0.0.1:7462' }, 'act'],
	[{ origin: 'http://127.0.0.1:9999' }, 'none'],
	[{ origin: 'http://attacker.example' }, 'none'],
	[{ origin: 'null' }, 'none'],
	[{ 'sec-fetch-site': 'same-site' }, 'none'],
	[{ 'sec-fetch-site': 'cross-site' }, 'none'],
	[{ host: 'attacker.example:7462' }, 'none'],
] as const)('a request with the session and %j has the rights: %s', (headers, rights) => {
	const sessions = make();
	expect(sessions.rightsOf(withSession(logIn(sessions), headers))).toBe(rights);
});
