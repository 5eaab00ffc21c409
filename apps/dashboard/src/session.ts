// The session of this browser: exchanges the code in the address for it, and sends requests with its key. The cookie is out of reach of this
// page; the key is kept for this origin alone. A request needs both.
import { parseShown } from './parse-shown.ts';

const storageKey = 'shardctl-page-key';
const codeInAddress = /^#login=([\w-]+)$/;

/** A response that is no success, with the message of the manager. */
export class RequestFailed extends Error {
	readonly status: number;

	constructor(status: number, message: string) {
		super(message);
		this.status = status;
	}
}

/** Logs in with the code in the address, if there is one, and takes it out of the address. */
export async function logInByAddress(): Promise<void> {
	const code = codeInAddress.exec(location.hash)?.[1];
	if (code === undefined) return;
	history.replaceState(null, '', location.pathname);
	await logIn(code);
}

/** Throws {@link RequestFailed} for a code that was used or is too old. */
async function logIn(code: string): Promise<void> {
	const response = await fetch('/dashboard/login', { method: 'POST', headers: { 'x-shardctl-login': code } });
	if (!response.ok) throw await failureOf(response);
	const { pageKey } = (await response.json()) as { pageKey: string };
	localStorage.setItem(storageKey, pageKey);
}

/** Sends a request with the session. Throws {@link RequestFailed}. */
export async function request(path: string, init: { signal?: AbortSignal; body?: object } = {}): Promise<Response> {
	const { signal, body } = init;
	const headers: Record<string, string> = { 'x-shardctl-dashboard': localStorage.getItem(storageKey) ?? '' };
	if (body) headers['content-type'] = 'application/json';
	const response = await fetch(path, {
		headers,
		cache: 'no-store',
		...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
		...(signal ? { signal } : {}),
	});
	if (!response.ok) throw await failureOf(response);
	return response;
}

/** The JSON of a response, as it may be shown. */
export async function readJson(response: Response): Promise<unknown> {
	return parseShown(await response.text());
}

export function hasSession(): boolean {
	return localStorage.getItem(storageKey) !== null;
}

export function forgetSession(): void {
	localStorage.removeItem(storageKey);
}

async function failureOf(response: Response): Promise<RequestFailed> {
	const answer = (await readJson(response).catch(() => ({}))) as { error?: { message?: string } };
	return new RequestFailed(response.status, answer.error?.message ?? `the manager responded with status ${response.status}`);
}
