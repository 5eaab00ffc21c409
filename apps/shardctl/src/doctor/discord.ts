// What Discord says of this bot: the gateway, the session starts left, the intents that it was granted, and the time.
import { messageOf, privilegedIntents, ShardctlError } from '@shardctl/core';
import { fetchGatewayInfo, resolveCounts, type ShardManagerOptions } from '@shardctl/manager';
import { age } from '../terminal/age.js';
import { plural } from '../terminal/count.js';
import { type Finding, fail, ok, skip, warn } from './finding.js';

const timeoutMs = 10_000;
const windowMs = 5000;
/** Larger differences break what relies on times, such as how old an interaction is. */
const skewLimitMs = 5000;

export interface DiscordQuestion {
	api: string;
	token: string;
	totalShards: number | 'auto';
	gateway: ShardManagerOptions['gateway'];
	/** What the bot asks for; undefined where that is not known. */
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
			findings: [skip('gateway', 'not asked, without a token')],
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
							`${remaining} of ${total} session starts are left, and ${plural(sessions, noun)} need as many`,
							`wait ${age(resetAfterMs)} until they reset`,
						)
					: remaining < sessions * 2
						? warn(
								'budget',
								`${remaining} of ${total} session starts are left: enough for one start`,
								`they reset in ${age(resetAfterMs)}`,
							)
						: ok('budget', `${remaining} of ${total} session starts are left`),
				ok('time', `${plural(sessions, noun)} at ${maxConcurrency} a window: up in about ${age(startMs)} and one boot`),
				await intentFinding({ api, token, intents }),
				await clockFinding(api),
			],
		};
	} catch (error) {
		const code = ShardctlError.is(error) ? error.code : 'INTERNAL';
		const remedy =
			code === 'TOKEN_INVALID'
				? 'copy the token anew from https://discord.com/developers/applications'
				: 'check the network, a proxy, and --api';
		return { findings: [fail('gateway', messageOf(error), remedy)], shards: undefined };
	}
}

/** What Discord recommends, and limits, is its own side: sessions, which are the shards unless gateway processes have fewer. */
function sessionFinding({ sessions, noun, recommended }: { sessions: number; noun: string; recommended: number }): Finding {
	if (sessions >= recommended)
		return ok(
			'gateway',
			`answers; recommends ${plural(recommended, noun)}${sessions === recommended ? '' : `, ${sessions} are planned`}`,
		);
	return warn(
		'gateway',
		`planned: ${plural(sessions, noun)}; Discord recommends ${recommended}`,
		`above 2,500 guilds a ${noun} Discord closes it with 4011: use ${noun === 'shard' ? '--shards' : '--gateway-sessions'} auto`,
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
	if (intents === undefined) return skip('intents', 'not known what the bot asks for');
	const asked = privilegedIntents.filter(({ bit }) => (intents & bit) !== 0);
	if (asked.length === 0) return ok('intents', 'asks for none that are privileged');
	try {
		const response = await fetch(`${api}/v10/applications/@me`, {
			headers: { authorization: `Bot ${token}` },
			signal: AbortSignal.timeout(timeoutMs),
		});
		const { flags } = (await response.json()) as { flags?: unknown };
		if (!response.ok || typeof flags !== 'number') return skip('intents', 'Discord did not say which the bot was granted');
		const missing = asked.filter((each) => (flags & each.flags) === 0).map(({ name }) => name);
		if (missing.length === 0) return ok('intents', `${asked.map(({ name }) => name).join(', ')}: granted`);
		return fail(
			'intents',
			`asks for ${missing.join(', ')}, which it was not granted: Discord would close with 4014`,
			"switch them on in the developer portal, under Bot, or leave them out of the client's intents",
		);
	} catch (error) {
		return skip('intents', `Discord did not say which the bot was granted: ${messageOf(error)}`);
	}
}

async function clockFinding(api: string): Promise<Finding> {
	try {
		const askedAt = Date.now();
		const response = await fetch(`${api}/v10/gateway`, { signal: AbortSignal.timeout(timeoutMs) });
		await response.body?.cancel();
		const there = Date.parse(response.headers.get('date') ?? '');
		if (Number.isNaN(there)) return skip('clock', 'Discord did not say what time it is');
		// The header has whole seconds, and was made somewhere between question and answer.
		const skewMs = Math.round((askedAt + Date.now()) / 2 - (there + 500));
		if (Math.abs(skewMs) < skewLimitMs) return ok('clock', "agrees with Discord's to a few seconds");
		return warn(
			'clock',
			`this machine is ${age(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead' : 'behind'}`,
			'set the time by NTP (timedatectl set-ntp true)',
		);
	} catch (error) {
		return skip('clock', messageOf(error));
	}
}
