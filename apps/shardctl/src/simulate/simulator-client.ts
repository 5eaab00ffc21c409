// A client of a simulator's control API: the one beside a running fleet, or the one at an address.
import { defaultManagerName, runningManagers } from '@shardctl/control';
import { messageOf, ShardctlError } from '@shardctl/core';
import { readSimulatorRecord, type SimulatorRecord } from './simulator-record.js';
import type { SimulatorTarget } from './simulator-target.js';

/** What the bot has answered to an interaction so far. */
export interface InteractionAnswer {
	answeredAfterMs: number | null;
	callbackType: number | null;
	message: { content?: string; embeds?: unknown[]; components?: unknown[]; flags?: number } | null;
	/** Whether a deferred answer or update has followed. */
	followed: boolean;
	modal: { title?: string; custom_id?: string; components?: unknown[] } | null;
}

export interface SimulatorClient {
	/** Makes an event happen. Returns the id of what was created. */
	emit(event: { type: string; data: Record<string, unknown>; guildId?: string; userId?: string }): Promise<string | null>;
	interaction(id: string): Promise<InteractionAnswer>;
}

/** Throws `MANAGER_NOT_RUNNING` where there is no simulator to talk to. */
export function simulatorClient(target: SimulatorTarget): SimulatorClient {
	const { url, controlToken } = recordFor(target);
	const base = new URL('/simulator', url).href;
	const call = async (path: string, init: RequestInit = {}): Promise<unknown> => {
		const headers = { 'content-type': 'application/json', ...(controlToken && { authorization: `Bearer ${controlToken}` }) };
		const response = await fetch(`${base}${path}`, { ...init, headers, signal: AbortSignal.timeout(10_000) }).catch(
			(cause: unknown) => {
				throw new ShardctlError(
					'MANAGER_NOT_RUNNING',
					`no simulator answers at ${url}: ${messageOf((cause as Error).cause ?? cause)}`,
					{ cause },
				);
			},
		);
		const body = (await response.json()) as { message?: string; problems?: { problem: string }[] };
		if (response.ok) return body;
		const problems = body.problems?.map(({ problem }) => problem).join('; ');
		throw new ShardctlError('OPTIONS_INVALID', `the simulator refused: ${[body.message, problems].filter(Boolean).join(': ')}`);
	};
	return {
		emit: async (event) => ((await call('/emit', { method: 'POST', body: JSON.stringify(event) })) as { id: string | null }).id,
		interaction: (id) => call(`/interaction?id=${id}`) as Promise<InteractionAnswer>,
	};
}

function recordFor({ name, url }: SimulatorTarget): SimulatorRecord {
	if (url !== undefined) return { url, controlToken: process.env.SHARDCTL_SIMULATE_CONTROL_TOKEN ?? '' };
	const names = name === undefined ? runningManagers().map((manager) => manager.name) : [name];
	const found = names.flatMap((each) => {
		const record = readSimulatorRecord(each);
		return record ? [{ name: each, record }] : [];
	});
	const here = defaultManagerName(`${process.cwd()}/bot.js`);
	const meant = found.length === 1 ? found[0] : found.find((each) => each.name === here);
	if (meant) return meant.record;
	if (found.length > 1) {
		throw new ShardctlError(
			'OPTIONS_INVALID',
			`several fleets have a simulator; pick one with --name: ${found.map((each) => each.name).join(', ')}`,
		);
	}
	throw new ShardctlError(
		'MANAGER_NOT_RUNNING',
		name === undefined
			? 'no fleet runs on a simulator; start one with "shardctl start --simulate", or name a simulator with --url'
			: `the fleet "${name}" does not run on a simulator`,
	);
}
