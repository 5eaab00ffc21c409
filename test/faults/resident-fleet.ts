// A fleet with resident gateway processes and a bot that records which numbered messages it has handled, in what order.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SimulatorOptions } from '@shardctl/simulator';
import { tempDir, waitFor } from '@shardctl/test-support';
import type { ShardManagerOptions } from 'shardctl';
import { expect } from 'vitest';
import { type Fleet, fixture, startFleet } from './fleet.js';

export interface Handled {
	guildId: string;
	number: number;
	pid: number;
	/** Epoch ms. */
	at: number;
}

/** The variants of `counting-bot.cjs`; '' is the working one. */
export type BotVersion =
	| ''
	| 'crash-at-boot'
	| 'syntax-error'
	| 'missing-module'
	| 'ends-at-boot'
	| 'blocks-at-boot'
	| 'starts-a-manager'
	| 'hang-at-boot'
	| 'wrong-token'
	| 'more-intents'
	| 'crash-at-ready'
	| 'dies-soon'
	| 'ends-soon'
	| 'logs-out-soon'
	| 'blocks-soon'
	| 'logs-errors'
	| `port ${number}`;

export interface ResidentFleet extends Fleet {
	/** The next processes of the bot are of this version. */
	version(mode: BotVersion): void;
	/** Sends a numbered message in a guild; each guild has its own numbers. */
	say(guildIndex: number): void;
	/** Sends numbered messages around all guilds until the returned function is called. */
	keepTalking(perSecond: number): () => void;
	/** How many messages were sent. */
	readonly sent: number;
	handled(): Handled[];
	/** Resolves when that many messages were handled. */
	handledAll(): Promise<Handled[]>;
	/** The longest time that a message took from Discord into its handler. */
	longestWaitMs(handled: readonly Handled[]): number;
	gatewayPids(): number[];
	/** What the gateway processes count, over all shards. */
	totals(): Promise<
		Record<
			'lost' | 'repeated' | 'overflowed' | 'expired' | 'poisoned' | 'delivered' | 'resumes' | 'identifies' | 'workerResumes',
			number
		>
	>;
	/** Fails unless Discord has seen exactly the identifies of the start, and no rule was violated. */
	expectNoIdentifySinceStart(): void;
}

export interface ResidentSetup {
	shards: number;
	guilds: number;
	/** Default: one on discord.js. Must record what it handles as `counting-bot.cjs` does. */
	bot?: string;
	simulator?: SimulatorOptions;
	/** A network between the fleet and Discord that can be cut. */
	network?: boolean;
	manager?: ShardManagerOptions;
}

export async function startResidentFleet({
	shards,
	guilds,
	bot,
	simulator,
	network = false,
	manager,
}: ResidentSetup): Promise<ResidentFleet> {
	const folder = tempDir('shardctl-resident-');
	const [handledFile, modeFile] = [join(folder, 'handled'), join(folder, 'mode')];
	writeFileSync(handledFile, '');
	const fleet = await startFleet({
		file: bot ?? fixture('counting-bot.cjs'),
		network,
		simulator: { guilds, shards, guildSizes: { min: 2, max: 5 }, ...simulator },
		manager: {
			gateway: 'resident',
			readyTimeoutMs: 60_000,
			...manager,
			env: { HANDLED: handledFile, MODE: modeFile, ...manager?.env },
		},
	});
	fleet.manager.on('gateway:notice', ({ shardIds, kind, message }) =>
		fleet.story.push(`shards ${shardIds.join(',')} ${kind}: ${message}`),
	);
	fleet.manager.on('gateway:exited', ({ gatewayId, message }) => fleet.story.push(`gateway ${gatewayId}: ${message}`));
	const guildIds = [...fleet.simulator.world.guilds.ids({ id: 0, count: 1 })];
	const counts = guildIds.map(() => 0);
	const sentAt = new Map<string, number>();
	const gateways = new Map<number, number>();
	let sent = 0;
	for (const { id, pid } of (await fleet.manager.getStats()).gateways ?? []) gateways.set(id, pid as number);
	fleet.manager.on('gateway:spawned', ({ gatewayId, pid }) => gateways.set(gatewayId, pid));

	const resident = Object.assign(fleet, {
		version(mode: string) {
			if (mode === '') rmSync(modeFile, { force: true });
			else writeFileSync(modeFile, mode);
		},
		say(guildIndex: number) {
			const index = guildIndex % guildIds.length;
			sent++;
			counts[index] = (counts[index] as number) + 1;
			sentAt.set(`${guildIds[index]} ${counts[index]}`, Date.now());
			fleet.simulator.emit('MESSAGE_CREATE', { content: String(counts[index]) }, { guildId: guildIds[index] as string });
		},
		keepTalking(perSecond: number) {
			const startedAt = performance.now();
			const before = sent;
			const timer = setInterval(() => {
				const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
				while (sent - before < due) resident.say(sent);
			}, 5);
			return () => clearInterval(timer);
		},
		handled: () =>
			(existsSync(handledFile) ? readFileSync(handledFile, 'utf8') : '')
				.split('\n')
				.filter(Boolean)
				.map((line): Handled => {
					const [guildId, number, pid, at] = line.split(' ') as [string, string, string, string];
					return { guildId, number: Number(number), pid: Number(pid), at: Number(at) };
				}),
		async handledAll() {
			const all = () => new Set(resident.handled().map(({ guildId, number }) => `${guildId} ${number}`)).size >= sent;
			await waitFor(`${sent} messages to be handled`, all).catch(async (error: unknown) => {
				const counts = `only ${resident.handled().length} of ${sent} messages were handled`;
				const totals = JSON.stringify(await resident.totals());
				throw new Error([counts, totals, gaps(resident.handled()), ...relevantPart(fleet.story)].join('\n'), { cause: error });
			});
			return resident.handled();
		},
		longestWaitMs: (handled: readonly Handled[]) =>
			Math.max(...handled.map(({ guildId, number, at }) => at - (sentAt.get(`${guildId} ${number}`) as number))),
		gatewayPids: () => [...gateways.values()],
		async totals() {
			const gateways = (await fleet.manager.getStats()).gateways ?? [];
			const figures = gateways.flatMap(({ shards, sessions }) =>
				[...shards, ...sessions].flatMap((each) => Object.entries(each)),
			);
			const sum = (key: string) => figures.reduce((total, [name, value]) => total + (name === key ? Number(value) : 0), 0);
			return {
				lost: sum('lost'),
				repeated: sum('repeated'),
				overflowed: sum('overflowed'),
				expired: sum('expired'),
				poisoned: sum('poisoned'),
				delivered: sum('delivered'),
				resumes: sum('resumes'),
				identifies: sum('identifies'),
				workerResumes: sum('workerResumes'),
			};
		},
		expectNoIdentifySinceStart() {
			expect(fleet.simulator.log.entries({ type: 'identify' })).toHaveLength(shards);
			expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
		},
	});
	return Object.defineProperty(resident, 'sent', { get: () => sent }) as ResidentFleet;
}

/** The events around the first reported loss, else the end. */
function relevantPart(story: readonly string[]): string[] {
	const lines = story.filter((line) => !line.includes(' stderr: '));
	const loss = lines.findIndex((line) => line.includes('events:'));
	return loss < 0 ? lines.slice(-40) : lines.slice(Math.max(0, loss - 60), loss + 20);
}

/** Where numbers are missing or repeated, for the message of a failure. */
function gaps(handled: readonly Handled[]): string {
	const last = new Map<string, number>();
	const found: string[] = [];
	for (const { guildId, number, at } of handled) {
		const before = last.get(guildId) ?? 0;
		if (number !== before + 1) found.push(`${at} guild ${guildId}: ${before} → ${number}`);
		last.set(guildId, number);
	}
	return found.slice(0, 20).join('\n');
}

/** What was handled for the first time. */
export function withoutRepeats(handled: readonly Handled[]): Handled[] {
	const seen = new Set<string>();
	return handled.filter(({ guildId, number }) => {
		const key = `${guildId} ${number}`;
		return !seen.has(key) && seen.add(key);
	});
}

/** Fails unless every guild's numbers are 1, 2, 3, … without a gap, a repetition or a swap. */
export function expectExactlyOnceInOrder(handled: readonly Handled[]): void {
	const last = new Map<string, number>();
	const wrong: string[] = [];
	for (const { guildId, number } of handled) {
		const expected = (last.get(guildId) ?? 0) + 1;
		if (number !== expected) wrong.push(`guild ${guildId}: ${number} where ${expected} was due`);
		last.set(guildId, number);
	}
	expect(wrong).toEqual([]);
}
