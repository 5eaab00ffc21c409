// The schema of each kind of option, with what a message says about a value that is none.
import { isDeviceName } from '@shardctl/control';
import { controlSchema } from '@shardctl/control/server';
import { type Clock, describeValue } from '@shardctl/core';
import type { Logger } from 'pino';
import { z } from 'zod';
import { clusterSchema } from './cluster-options.js';
import { gatewaySchema } from './gateway-options.js';
import type { OptionKind } from './option-table.js';
import { queueSchema } from './queue-options.js';
import { reshardSchema } from './reshard-options.js';
import { restSchema } from './rest-options.js';

/** An error that shows the value. */
const must = (what: string) => ({ error: (issue: { input?: unknown }) => `must be ${what}, got ${describeValue(issue.input)}` });

const wholeNumber = (min: number) => {
	const error = must(`a whole number from ${min}`);
	return z.number(error).int(error).min(min, error);
};
/** 0 and Infinity disable it. */
const limit = (unit: string) =>
	z.unknown().superRefine((value, context) => {
		if (typeof value === 'number' && value >= 0) return;
		const wanted =
			typeof value === 'number' && value < 0 ? 'must not be negative' : `must be a number of ${unit} (0 or Infinity disables it)`;
		context.addIssue({ code: 'custom', message: `${wanted}, got ${describeValue(value)}` });
	});
const duration = limit('milliseconds');
const positive = (what: string) => z.number(must(what)).positive(must(what));
const count = z.custom<number | 'auto'>(
	(value) => value === 'auto' || (Number.isSafeInteger(value) && (value as number) >= 1),
	must('a whole number from 1, or "auto"'),
);

const restartPolicy = z.strictObject({
	initialDelayMs: duration.optional(),
	maxDelayMs: duration.optional(),
	factor: positive('a number of at least 1').optional(),
	maxRestarts: wholeNumber(1).optional(),
	windowMs: duration.optional(),
	stableAfterMs: duration.optional(),
	cooldownMs: duration.optional(),
});

export const optionKinds: Readonly<Record<OptionKind, z.ZodType>> = {
	string: z.string({ error: 'must be a string' }),
	strings: z.array(z.string(), { error: 'must be an array of strings' }),
	'strings by name': z.record(z.string(), z.string({ error: 'must be a string' }), {
		error: 'must be an object with string values',
	}),
	count: wholeNumber(1),
	'count or auto': count,
	'shard list': z.union([z.string(), z.array(z.number())], {
		error: 'must be an array of shard ids, or a string such as "0-3,7"',
	}),
	duration,
	size: limit('bytes'),
	'whole number': wholeNumber(0),
	milliseconds: positive('a number of milliseconds'),
	flag: z.boolean({ error: 'must be true or false' }),
	'flag or port': z.union([z.boolean(), wholeNumber(0)], { error: 'must be true, false or a port' }),
	url: z.url({ protocol: /^https?$/, ...must('the URL of a REST API such as https://discord.com/api') }),
	name: z
		.string()
		.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, must('1 to 64 letters, digits, ".", "_" or "-"'))
		.refine((name) => !isDeviceName(name), must('no name of a Windows device such as con, nul or com1')),
	folder: z.string({ error: 'must be the path of a folder' }),
	respawn: z.union([z.boolean(), restartPolicy], { error: 'must be true, false or a restart policy' }),
	'worker mode': z.enum(['process', 'thread'], must('"process" or "thread"')),
	cluster: clusterSchema,
	gateway: gatewaySchema,
	rest: restSchema,
	queue: queueSchema,
	reshard: reshardSchema,
	control: controlSchema,
	simulator: z.strictObject({ url: z.string() }, { error: 'must be an object with the url of the simulator' }),
	logger: z.custom<Logger>((value) => typeof (value as Logger | null)?.info === 'function', {
		error: 'must be a pino-compatible logger',
	}),
	clock: z.custom<Clock>((value) => typeof (value as Clock | null)?.monotonic === 'function', { error: 'must be a clock' }),
};
