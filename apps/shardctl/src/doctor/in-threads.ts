// Runs the bot in a thread, as `start --worker-mode thread` does, for the doctor; once that has logged in, in a second one of the same process,
// where an addon that can be loaded only once fails. What the bot's threads report is passed on.
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { BroadcastChannel, Worker } from 'node:worker_threads';
import { type BotReport, sendReport } from './bot-report.js';
import { reportChannel } from './thread-reports.js';

const noLogin = fileURLToPath(new URL('./no-login.js', import.meta.url));
const botFile = process.env.SHARDCTL_DOCTOR_BOT as string;
const { execArgv, argv } = process;
let started = 0;

function start(): void {
	started++;
	const env = { ...process.env, SHARDING_MANAGER_MODE: 'worker' };
	const thread = new Worker(botFile, {
		argv: argv.slice(2),
		execArgv: ['--import', noLogin, ...execArgv],
		env,
		workerData: { ...env },
	});
	thread.on('error', (error: unknown) => {
		process.stderr.write(`${error instanceof Error ? error.stack : inspect(error)}\n`, () => process.exit(1));
	});
	thread.on('exit', (code) => process.exit(code));
}

new BroadcastChannel(reportChannel).onmessage = (event) => {
	const report = (event as { data: BotReport }).data;
	if ('library' in report && started === 1) start();
	else sendReport(report);
};
// The doctor is gone.
process.once('disconnect', () => process.exit(1));
start();
