// Runs the bot file in a process of its own in which no library can log in, and sees how far it gets.
import { fork } from 'node:child_process';
import { type Finding, fail, ok, warn } from './finding.js';
import type { ProbeReport } from './no-login.js';

const noLogin = new URL('./no-login.js', import.meta.url).href;
const timeLimitMs = 20_000;
const keptChars = 4000;

/** What became known of the bot. */
export interface ImportedBot {
	/** The intents that its client asks for, as bits; undefined where the library does not tell. */
	intents: number | undefined;
}

export async function checkImport(
	botFile: string,
	{ args, execArgv, limitMs = timeLimitMs }: { args: readonly string[]; execArgv: readonly string[]; limitMs?: number },
): Promise<{ finding: Finding; bot: ImportedBot | undefined }> {
	const child = fork(botFile, [...args], {
		execArgv: ['--import', noLogin, ...execArgv],
		// A token that nobody accepts: what is not held back gets no further than 401.
		env: { ...process.env, DISCORD_TOKEN: 'doctor', SHARDCTL_DOCTOR_BOT: botFile },
		stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
	});
	let said = '';
	child.stderr?.setEncoding('utf8').on('data', (text: string) => {
		said = (said + text).slice(-keptChars);
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
		return {
			finding: ok('import', `loads, and gets as far as logging in (${report?.library ?? 'its library'})`),
			bot: { intents: report?.intents },
		};
	}
	const lastLine =
		said
			.trim()
			.split('\n')
			.find((line) => /^\w*Error\b.*:/.test(line)) ??
		said.trim().split('\n').at(-1) ??
		'';
	if (outcome === 'timeout') {
		const finding = warn(
			'import',
			`did not come to log in within ${limitMs / 1000} s`,
			'it may wait for something that is not there, such as a database',
		);
		return { finding, bot: undefined };
	}
	const finding =
		outcome === 0
			? warn('import', 'ends without logging in', 'does this file call client.login()?')
			: fail('import', `fails with exit code ${outcome}: ${lastLine}`, 'run it with "node" to see all of the error');
	return { finding, bot: undefined };
}
