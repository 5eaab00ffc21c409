// What every server needs that forwards requests to Discord's REST API: which requests belong to the API, which headers end at this hop, and
// how a request is refused. The framing of each request is written again, so that what one client sends cannot become the request of another.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

/** Of the requests that shardctl itself sends. Discord: Reference, "User Agent". */
export const restUserAgent = 'DiscordBot (https://www.npmjs.com/package/shardctl, 0.1.0)';

/** Those of Discord's API. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
const methodsWithoutBody: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** RFC 9110, 7.6.1, and what is answered or made here: the host, the framing and `Expect`. */
const hopHeaders = [
	'connection',
	'expect',
	'host',
	'keep-alive',
	'proxy-authenticate',
	'proxy-authorization',
	'proxy-connection',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
];
/** Discord accepts attachments up to 100 MiB from bots, and several in one request are bound by the same limit. */
export const maxRestBodyBytes = 128 * 2 ** 20;

/** How the body is framed on the next hop; undefined where there is none. */
export type RestFraming = Record<string, string> | undefined;

/** How the body of a request is framed: as it came. A refusal where the request cannot be forwarded. */
export function restFraming(
	method: string,
	headers: IncomingHttpHeaders,
): { framing: RestFraming } | { refusal: { status: number; message: string } } {
	const framing = framingOf(headers);
	if (framing === 'unknown') return refused(400, 'the request has a transfer coding that is not supported');
	if (!methods.has(method)) return refused(405, 'the API has no such method');
	if (framing && methodsWithoutBody.has(method)) return refused(400, `a ${method} request has no body`);
	if (Number(headers['content-length'] ?? 0) > maxRestBodyBytes) return refused(413, 'the body is too large');
	return { framing };
}

function refused(status: number, message: string): { refusal: { status: number; message: string } } {
	return { refusal: { status, message } };
}

/** How the body is framed on the next hop, whatever the method: as it was on this one. Undefined where there is none. */
function framingOf({ 'content-length': length, 'transfer-encoding': encoding }: IncomingHttpHeaders): RestFraming | 'unknown' {
	if (encoding !== undefined) return /^chunked$/i.test(encoding) ? { 'transfer-encoding': 'chunked' } : 'unknown';
	return length === undefined || Number(length) === 0 ? undefined : { 'content-length': length };
}

/** Without the headers of this hop, and those that `Connection` names. */
export function endToEndHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
	const kept = { ...headers };
	const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
	// The length is a fact of the body and no wish of the client.
	for (const name of [...hopHeaders, ...named.filter((each) => each !== 'content-length')]) delete kept[name];
	return kept;
}

/** Where a path is at Discord; undefined for one that would leave the API, whose address ends with a slash. */
export function restTarget(api: URL, path: string): string | undefined {
	if (!path.startsWith('/') || hasDotSegments(path)) return undefined;
	const target = new URL(api.href.slice(0, -1) + path.replace(/^\/api(?=\/|$)/, ''));
	const isInside = target.origin === api.origin && target.pathname.startsWith(api.pathname);
	return isInside ? target.href : undefined;
}

/** Whether a server, or the parser of the URL, would take a part of the path for "here" or "up". */
function hasDotSegments(path: string): boolean {
	let decoded: string;
	try {
		decoded = decodeURIComponent(path);
	} catch {
		return true;
	}
	return decoded.split(/[/\\]/).some((segment) => segment === '.' || segment === '..');
}

/** The query of a request target as it was sent, with its `?`. */
export function rawQuery(target: string | undefined): string {
	return /\?.*$/s.exec(target ?? '')?.[0].replace(/#.*$/s, '') ?? '';
}

/** Whether the `Authorization` header carries this token; undefined: every token is right, as on a simulator. */
export function tokenCheck(token: string | undefined): (authorization: string | undefined) => boolean {
	if (token === undefined) return () => true;
	const right = digest(token);
	return (authorization) => timingSafeEqual(right, digest((authorization ?? '').replace(/^Bot /, '')));
}

/** `timingSafeEqual` needs inputs of equal length. */
function digest(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}

/** As Discord answers. The connection ends with it: the rest of the request is not read. */
export function refuseRest(response: ServerResponse, status: number, message: string): void {
	if (response.headersSent) {
		response.destroy();
		return;
	}
	response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
	response.end(JSON.stringify({ message, code: 0 }));
}
