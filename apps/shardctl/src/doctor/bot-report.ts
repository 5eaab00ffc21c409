// What the bot's process reports to the doctor, under a mark: the bot may send messages of its own (pm2's `process.send('ready')`).
import type { Attempt } from './closed-world.js';

const mark = 'shardctl.doctor';

/** What is reported when the bot calls its login method. */
export interface Login {
	library: string;
	intents?: number;
	/** Whether shardctl would see this client: discord.js is hooked, the others call attach(). */
	attached: boolean;
}

export type BotReport = Login | Attempt;

export function sendReport(report: BotReport): void {
	if (process.connected) process.send?.({ [mark]: report });
}

/** Undefined for a message of the bot's own. */
export function readReport(message: unknown): BotReport | undefined {
	if (typeof message !== 'object' || message === null || !(mark in message)) return undefined;
	return message[mark] as BotReport;
}
