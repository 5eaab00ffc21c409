// What Discord reports about this bot: gateway, session starts left, granted intents; and whether the clocks agree.
import { messageOf, privilegedIntents, ShardctlError } from '@shardctl/core';
import { fetchGatewayInfo, resolveCounts, type ShardManagerOptions } from '@shardctl/manager';
import { age } from '../terminal/age.js';
import { plural } from '../terminal/count.js';
import { type Finding, fail, ok, skip, warn } from './finding.js';

const timeoutMs = 10_000;
const windowMs = 5000;
/** Larger differences break code that relies on timestamps, such as the age of an interaction. */
const skewLimitMs = 5000;

export interface DiscordQuestion {
	api: string;
	token: string;
	totalShards: number | 'auto';
	gateway: ShardManagerOptions['gateway'];
	/** The intents that the bot requests; undefined if unknown. */
	intents: number | undefined;
}

export async function checkDiscord({
	api,
	token,
	totalShards,
	gateway,
	intents,
}: DiscordQuestion): Promise<{ findings: Finding[]; shards: number | undefined }> {
	if (token === '')
		return {
			findings: [skip('gateway', 'skipped: no token')],
			shards: typeof totalShards === 'number' ? totalShards : undefined,
		};
	try {
		const info = await fetchGatewayInfo({ api, token });
		const asked = typeof gateway === 'object' ? gateway.sessions : undefined;
		const { totalShards: shards, sessions } = resolveCounts({ totalShards, sessions: asked }, info.shards);
		const noun = sessions === shards ? 'shard' : 'session';
		const { remaining, total, reset_after: resetAfterMs, max_concurrency: maxConcurrency } = info.session_start_limit;
		const startMs = (Math.ceil(sessions / maxConcurrency) - 1) * windowMs;
		return {
			shards,
			findings: [
				sessionFinding({ sessions, noun, recommended: info.shards }),
				remaining < sessions
					? fail(
							'budget',
							`${remaining} of ${total} session starts left, ${plural(sessions, noun)} need ${sessions}`,
							`they reset in ${age(resetAfterMs)}; start the fleet then`,
						)
					: remaining < sessions * 2
						? warn(
								'budget',
								`${remaining} of ${total} session starts left: enough for one start`,
								`they reset in ${age(resetAfterMs)}`,
							)
						: ok('budget', `${remaining} of ${total} session starts left`),
				ok('time', `${plural(sessions, noun)}, ${maxConcurrency} per 5 s: ready in about ${age(startMs)} plus one boot`),
				await intentFinding({ api, token, intents }),
				await clockFinding(api),
			],
		};
	} catch (error) {
		const code = ShardctlError.is(error) ? error.code : 'INTERNAL';
		const remedy =
			code === 'TOKEN_INVALID'
				? 'copy the token again from https://discord.com/developers/applications'
				: ShardctlError.is(error) && Number(error.details.status) >= 500
					? 'wait: a start asks again for some minutes'
					: 'check the network, the proxy, and --api';
		return { findings: [fail('gateway', messageOf(error), remedy)], shards: undefined };
	}
}

/** Discord recommends and limits sessions. Those are the shards, unless gateway processes hold fewer sessions than shards. */
function sessionFinding({ sessions, noun, recommended }: { sessions: number; noun: string; recommended: number }): Finding {
	if (sessions >= recommended)
		return ok(
			'gateway',
			`reachable; Discord recommends ${plural(recommended, noun)}${sessions === recommended ? '' : `, ${sessions} planned`}`,
		);
	return warn(
		'gateway',
		`${plural(sessions, noun)} planned; Discord recommends ${recommended}`,
		`Discord closes a ${noun} with more than 2,500 guilds (4011): use ${noun === 'shard' ? '--shards' : '--gateway-sessions'} auto`,
	);
}

async function intentFinding({
	api,
	token,
	intents,
}: {
	api: string;
	token: string;
	intents: number | undefined;
}): Promise<Finding> {
	if (intents === undefined) return skip('intents', 'skipped: the intents of the bot are unknown');
	const asked = privilegedIntents.filter(({ bit }) => (intents & bit) !== 0);
	if (asked.length === 0) return ok('intents', 'the bot requests no privileged intents');
	try {
		const response = await fetch(`${api}/v10/applications/@me`, {
			headers: { authorization: `Bot ${token}` },
			signal: AbortSignal.timeout(timeoutMs),
		});
		const { flags } = (await response.json()) as { flags?: unknown };
		if (!response.ok || typeof flags !== 'number') return skip('intents', 'skipped: Discord did not report the granted intents');
		const missing = asked.filter((each) => (flags & each.flags) === 0).map(({ name }) => name);
		if (missing.length === 0) return ok('intents', `granted: ${asked.map(({ name }) => name).join(', ')}`);
		return fail(
			'intents',
			`not granted: ${missing.join(', ')}; Discord would close every session with 4014`,
			"enable them in the developer portal (Bot, Privileged Gateway Intents), or remove them from the client's intents",
		);
	} catch (error) {
		return skip('intents', `skipped: Discord did not report the granted intents: ${messageOf(error)}`);
	}
}

async function clockFinding(api: string): Promise<Finding> {
	try {
		const askedAt = Date.now();
		const response = await fetch(`${api}/v10/gateway`, { signal: AbortSignal.timeout(timeoutMs) });
		await response.body?.cancel();
		const there = Date.parse(response.headers.get('date') ?? '');
		if (Number.isNaN(there)) return skip('clock', 'skipped: Discord sent no date');
		// The header has whole seconds, and was written some time between request and response.
		const skewMs = Math.round((askedAt + Date.now()) / 2 - (there + 500));
		if (Math.abs(skewMs) < skewLimitMs) return ok('clock', "within 5 s of Discord's");
		return warn(
			'clock',
			`this machine is ${age(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} Discord`,
			'synchronise the clock with NTP (timedatectl set-ntp true)',
		);
	} catch (error) {
		return skip('clock', `skipped: ${messageOf(error)}`);
	}
}
