// Sessions are replaced again and again while numbered messages flow, in simulated time, and one or two processes are killed at random moments
// each time: a worker, the gateway process, the manager. No message is lost, and no conversation has one behind a later one; only where
// something was killed are messages handled twice. SHARDCTL_RESHARD_RUNS sets how many fleets are tried, SHARDCTL_RESHARD_SEED the first of them.
import { expect, it } from 'vitest';
import { SimulatedFleet, type Victim } from './support/simulated-fleet.js';

const runs = Number(process.env.SHARDCTL_RESHARD_RUNS ?? 10);
const firstSeed = Number(process.env.SHARDCTL_RESHARD_SEED ?? 1);
const seeds = Array.from({ length: runs }, (_, index) => firstSeed + index);

const victims: readonly Victim[] = ['worker', 'gateway', 'manager'];

/** How late Discord can be on the sessions of a count, in ms. */
const lateness = [0, 0, 100, 400, 800];
/** For this long at most sessions that are replaced deliver nothing. */
const mostPauseMs = 1000;
/** On the connections, between Discord and a handler. */
const transportMs = 100;

interface Failure {
	seed: number;
	problems: readonly string[];
	story: readonly string[];
}

/** Reshards a fleet this often. Resolves with what is wrong with what it has handled. */
async function run(seed: number, { times, isHostile }: { times: number; isHostile: boolean }): Promise<Failure[]> {
	const fleet = new SimulatedFleet(seed);
	const { random, time, discord } = fleet;
	const strike = () => {
		fleet.kill(random.of(victims));
		// What is being replaced can be hit as well.
		if (random.chance(40)) time.setTimeout(() => fleet.kill(random.of(victims)), random.upTo(1500));
	};
	try {
		await fleet.start();
		fleet.talk(10);
		let from = 2;
		for (let count = 0; count < times; count++) {
			const to = random.of([1, 2, 4].filter((sessions) => sessions !== from));
			for (const sessions of [1, 2, 4]) discord.late(sessions, random.of(lateness));
			if (isHostile && random.chance(50)) fleet.atRecord(() => time.setTimeout(strike, random.upTo(80)));
			else if (isHostile) time.setTimeout(strike, random.upTo(5000));
			if (isHostile && random.chance(30)) time.setTimeout(() => fleet.breakConnection(), random.upTo(4000));
			await fleet.reshard(to);
			await time.pass(random.upTo(1500));
			from = to;
		}
		await time.until('the workers to be ready', () => fleet.isReady, 60_000);
		fleet.hush();
		await fleet.allHandled();
		await fleet.stateFollowed();
		expect(fleet.handled).toBeGreaterThan(100);
		const problems = [...fleet.problems];
		if (!isHostile && fleet.repeated > 0) problems.push(`${fleet.repeated} messages were handled twice`);
		if (!isHostile && fleet.longestPauseMs > mostPauseMs) problems.push(`nothing was delivered for ${fleet.longestPauseMs} ms`);
		const mostWayMs = mostPauseMs + Math.max(...lateness) + transportMs;
		if (!isHostile && fleet.longestWayMs > mostWayMs) problems.push(`a message took ${fleet.longestWayMs} ms`);
		return problems.length === 0 ? [] : [{ seed, problems, story: fleet.story.slice(-40) }];
	} catch (error) {
		return [{ seed, problems: [String(error)], story: fleet.story.slice(-40) }];
	}
}

/** Discord ends sessions while they replace each other. What it did not send any session is lost. */
async function runWithLosses(seed: number): Promise<Failure[]> {
	const fleet = new SimulatedFleet(seed);
	const { random, time, discord } = fleet;
	try {
		await fleet.start();
		fleet.talk(10);
		for (const to of [4, 1, 2]) {
			fleet.atRecord(() => fleet.loseSession());
			time.setTimeout(() => fleet.loseSession(), random.upTo(5000));
			if (random.chance(30)) time.setTimeout(() => fleet.kill('gateway'), random.upTo(5000));
			await fleet.reshard(to);
		}
		fleet.hush();
		await time.pass(10_000);
		await time.until('the workers to be ready', () => fleet.isReady, 60_000);
		for (const conversation of discord.said.keys()) discord.say(conversation);
		await fleet.lastHandled();
		await fleet.stateFollowed();
		return fleet.swaps.length === 0 ? [] : [{ seed, problems: fleet.swaps, story: fleet.story.slice(-40) }];
	} catch (error) {
		return [{ seed, problems: [String(error)], story: fleet.story.slice(-40) }];
	}
}

it('continues in order where Discord ends sessions meanwhile', { timeout: 60_000 + 30_000 * runs }, async () => {
	const failures: Failure[] = [];
	for (const seed of seeds.slice(0, Math.ceil(runs / 3))) failures.push(...(await runWithLosses(seed)));
	expect(failures).toEqual([]);
});

it('handles every message once where nothing is killed', { timeout: 600_000 }, async () => {
	const failures: Failure[] = [];
	for (const seed of seeds.slice(0, Math.ceil(runs / 5))) failures.push(...(await run(seed, { times: 3, isHostile: false })));
	expect(failures).toEqual([]);
});

it('loses and swaps no message where processes are killed', { timeout: 60_000 + 30_000 * runs }, async () => {
	const failures: Failure[] = [];
	for (const seed of seeds) failures.push(...(await run(seed, { times: 4, isHostile: true })));
	expect(failures).toEqual([]);
});
