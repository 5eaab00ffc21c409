// The one request that the manager itself makes to Discord.
import { checkAddressSpace, type GatewayInfo, limitRemedy, messageOf, restUserAgent, ShardctlError } from '@shardctl/core';
import { z } from 'zod';

const gatewayInfoSchema = z.object({
	url: z.string(),
	shards: z.number().int().min(1),
	session_start_limit: z.object({
		total: z.number().int(),
		remaining: z.number().int(),
		reset_after: z.number(),
		max_concurrency: z.number().int().min(1),
	}),
});

/** How long Discord may take to answer. */
export const requestTimeoutMs = 15_000;

/**
 * `GET /gateway/bot`. Discord: Gateway, "Get Gateway Bot". With `via` it is sent to that address, which passes it on to Discord.
 * Throws `TOKEN_INVALID` on 401 and `API_UNREACHABLE` for any other answer than the documented one; its `details.retryAfterMs` is
 * set when Discord said how long to wait.
 */
export async function fetchGatewayInfo({
	api,
	via = api,
	token,
	timeoutMs = requestTimeoutMs,
	signal,
}: {
	api: string;
	via?: string | undefined;
	token: string;
	timeoutMs?: number;
	signal?: AbortSignal;
}): Promise<GatewayInfo> {
	const path = '/v10/gateway/bot';
	const url = `${api}${path}`;
	const timeout = AbortSignal.timeout(timeoutMs);
	let response: Response;
	try {
		checkAddressSpace();
		response = await fetch(`${via}${path}`, {
			headers: { authorization: `Bot ${token}`, 'user-agent': restUserAgent },
			signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
		});
	} catch (cause) {
		signal?.throwIfAborted();
		const why = reason(cause);
		const whatToDo = limitRemedy(why) ?? 'check the network, and the address in --api';
		throw new ShardctlError('API_UNREACHABLE', `no answer from ${url}: ${why}; ${whatToDo}`, { cause });
	}
	if (response.status === 401) {
		await response.body?.cancel();
		throw new ShardctlError(
			'TOKEN_INVALID',
			'Discord answered 401: the bot token is wrong or was reset. Copy it again from the developer portal',
		);
	}
	const text = await response.text().catch(() => '');
	if (!response.ok) {
		const retryAfter = Number(response.headers.get('retry-after'));
		const whose = response.status >= 500 ? '. This is a fault of Discord: see https://discordstatus.com' : '';
		throw new ShardctlError('API_UNREACHABLE', `${url} answered ${response.status}: ${text.slice(0, 200)}${whose}`, {
			details: { status: response.status, ...(retryAfter > 0 ? { retryAfterMs: retryAfter * 1000 } : {}) },
		});
	}
	const parsed = gatewayInfoSchema.safeParse(parseJson(text));
	if (parsed.success) return parsed.data;
	throw new ShardctlError(
		'API_UNREACHABLE',
		`${url} did not answer like Discord (${parsed.error.issues[0]?.path.join('.') || 'no JSON'}); check that --api is the URL of a Discord API. Got: ${text.slice(0, 100)}`,
	);
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** The innermost reason: fetch wraps the system's error. */
function reason(error: unknown): string {
	const cause = (error as { cause?: unknown } | null)?.cause;
	if (cause instanceof AggregateError && cause.errors.length > 0) return messageOf(cause.errors[0]);
	return messageOf(cause ?? error);
}
