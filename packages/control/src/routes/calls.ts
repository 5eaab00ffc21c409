// Routes that call into the bot: run code, read values, call handlers. Each returns the outcome in every worker.
import { inspect } from 'node:util';
import { messageOf, ShardctlError, type WorkerOutcome } from '@shardctl/core';
import { z } from 'zod';
import { type callOutcome, callTarget, callOutcome as outcomeSchema, scope, text } from '../api/schemas.js';
import { plainJson } from './plain-json.js';
import { route } from './route.js';

const output = z.object({ results: z.array(outcomeSchema) });

export const evalRoute = route({
	summary: 'Runs code in every worker, or in the one that owns a shard or a guild.',
	input: z.strictObject({
		code: text('code to run').describe('an expression, or statements with return; client, context and this are defined'),
		context: z.unknown().optional().describe('available to the code as context'),
		...callTarget,
		...scope,
	}),
	output,
	async run({ code, context, ...target }, { fleet, signal, allowEval }) {
		if (!allowEval) throw codeForbidden('run code');
		return { results: outcomes(await fleet.broadcastEval(code, { ...given(target), context, settle: true, signal })) };
	},
});

export const fetchRoute = route({
	summary: 'Reads a dotted path of the client in every worker, or in the one that owns a shard or a guild.',
	input: z.strictObject({ path: text('a path such as guilds.cache.size'), ...callTarget, ...scope }),
	output,
	async run({ path, ...target }, { fleet, signal, allowEval }) {
		if (!allowEval) throw codeForbidden('read values of the bot');
		return { results: outcomes(await fleet.fetchClientValues(path, { ...given(target), settle: true, signal })) };
	},
});

export const callRoute = route({
	summary: 'Calls a handler that the bot registered, in every worker or in the one that owns a shard or a guild.',
	input: z.strictObject({
		name: text('the name of a handler'),
		args: z.array(z.unknown()).optional(),
		...callTarget,
		...scope,
	}),
	output,
	run: async ({ name, args = [], ...target }, { fleet, signal }) => ({
		results: outcomes(await fleet.call(name, args, { ...given(target), settle: true, signal })),
	}),
});

/** A path reaches whatever code reaches, secrets of the bot included, so both are behind one switch. */
function codeForbidden(what: string): ShardctlError {
	return new ShardctlError('FORBIDDEN', `clients over TCP may not ${what}; start the manager with --allow-eval to allow it`);
}

interface Target {
	shard?: number | undefined;
	guildId?: string | undefined;
	timeoutMs?: number | undefined;
}

/** Leaves out options that are undefined. */
function given({ shard, guildId, timeoutMs }: Target): { shard?: number; guildId?: string; timeoutMs?: number } {
	return {
		...(shard === undefined ? {} : { shard }),
		...(guildId === undefined ? {} : { guildId }),
		...(timeoutMs === undefined ? {} : { timeoutMs }),
	};
}

function outcomes(answer: unknown): z.output<typeof callOutcome>[] {
	const settled = (Array.isArray(answer) ? answer : [answer]) as WorkerOutcome[];
	return settled.map((outcome) => {
		const { workerId, shardIds, node } = outcome;
		const by = { workerId, shardIds, ...(node === undefined ? {} : { node }) };
		if (outcome.status === 'rejected') return { ...by, status: 'rejected', error: errorOf(outcome.reason) };
		const { value } = outcome;
		return { ...by, status: 'fulfilled', value: plainJson(value), shown: shown(value) };
	});
}

/** Of an error in the bot's own code, the error itself and not the one that wraps it. */
function errorOf(reason: unknown): { code: string; message: string; name?: string } {
	const code = ShardctlError.is(reason) ? reason.code : 'REMOTE_ERROR';
	const inner =
		ShardctlError.is(reason) && reason.code === 'REMOTE_ERROR' && reason.cause instanceof Error ? reason.cause : reason;
	return { code, message: messageOf(inner), ...(inner instanceof Error && !ShardctlError.is(inner) ? { name: inner.name } : {}) };
}

function shown(value: unknown): string {
	return inspect(value, { depth: 6, maxArrayLength: 200, maxStringLength: 10_000, breakLength: 100 });
}
