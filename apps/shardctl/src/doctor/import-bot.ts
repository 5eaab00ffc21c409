// Runs the bot file in a separate process in which no library can log in, and reports how far it gets.
import { fork } from 'node:child_process';
import { type Finding, fail, ok, warn } from './finding.js';
import type { ProbeReport } from './no-login.js';

const noLogin = new URL('./no-login.js', import.meta.url).href;
const timeLimitMs = 20_000;
const keptChars = 4000;

/** What was learned about the bot. */
export interface ImportedBot {
	/** The intents that its client requests, as bits; undefined if the library does not expose them. */
	intents: number | undefined;
}

export async function checkImport(
	botFile: string,
	{ args, execArgv, limitMs = timeLimitMs }: { args: readonly string[]; execArgv: readonly string[]; limitMs?: number },
): Promise<{ finding: Finding; bot: ImportedBot | undefined }> {
	const child = fork(botFile, [...args], {
		execArgv: ['--import', noLogin, ...execArgv],
		// A token that is never valid: a request that is not held back fails with 401.
		env: { ...process.env, DISCORD_TOKEN: 'doctor', SHARDCTL_DOCTOR_BOT: botFile },
		stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
	});
	let stderr = '';
	child.stderr?.setEncoding('utf8').on('data', (text: string) => {
		stderr = (stderr + text).slice(-keptChars);
	});
	let report: ProbeReport | undefined;
	const outcome = await new Promise<'login' | 'timeout' | number>((resolve) => {
		const timer = setTimeout(() => resolve('timeout'), limitMs);
		child.on('message', (message) => {
			report = message as ProbeReport;
			resolve('login');
		});
		child.once('close', (code) => resolve(code ?? 1));
		child.once('error', () => resolve(1));
		timer.unref();
	});
	child.kill('SIGKILL');
	if (outcome === 'login') {
		const library = report?.library ?? 'its library';
		const finding =
			report?.attached === false
				? fail(
						'import',
						`the bot's ${library} client connects without attach(), so it would run every shard in every worker`,
						"add one line before it connects: attach(client), with attach from 'shardctl/worker'",
					)
				: ok('import', `loads and calls ${library} to log in`);
		return { finding, bot: { intents: report?.intents } };
	}
	const lastLine =
		stderr
			.trim()
			.split('\n')
			.find((line) => /^\w*Error\b.*:/.test(line)) ??
		stderr.trim().split('\n').at(-1) ??
		'';
	if (outcome === 'timeout') {
		const finding = warn(
			'import',
			`did not call login() within ${limitMs / 1000} s`,
			'it may be waiting for something that is not available here, such as a database',
		);
		return { finding, bot: undefined };
	}
	const finding =
		outcome === 0
			? warn('import', 'exits without logging in', 'is this the file that calls client.login()?')
			: fail('import', `exits with code ${outcome}: ${lastLine}`, 'run the file with "node" to see the whole error');
	return { finding, bot: undefined };
}
