// The control API under `/simulator/`: read the state and the log, make things happen, inject faults. JSON in and out, every
// body checked and bounded. Who may use it is decided in admission.ts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf, optionProblems, type RequestTarget, ShardctlError, safelyParsed } from '@shardctl/core';
import { z } from 'zod';
import { eventKindNames } from '../activity/event-kinds.js';
import type { LogFilter, LogType } from '../event-log.js';
import { faultCommand, scheduledFault } from '../faults/fault-table.js';
import { ok, type RestAnswer, RestError } from '../rest/answer.js';
import { parseJson, readBytes } from '../rest/request-body.js';
import { send } from '../rest/rest-handler.js';
import { resizeGuilds } from '../world/changes/guilds.js';
import type { ControlledSimulator } from './controlled-simulator.js';

const maxBodyBytes = 1024 * 1024;

const emitBody = z.strictObject({
	type: z.string().regex(/^[A-Z_]{1,64}$/, 'the name of an event, such as MESSAGE_CREATE'),
	data: z.record(z.string(), z.unknown()).optional(),
	guildId: z.string().optional(),
	userId: z.string().optional(),
});
const activityBody = z.strictObject({
	eventsPerSecond: z.number().min(0).max(1_000_000),
	mix: z.partialRecord(z.enum(eventKindNames), z.number().nonnegative()).optional(),
});
const guildsBody = z.strictObject({ count: z.int().min(0).max(1_000_000) });
const scheduleBody = z.strictObject({ entries: z.array(scheduledFault).min(1).max(1000) });

interface Endpoint {
	method: 'GET' | 'POST' | 'DELETE';
	path: string;
	about: string;
	run: (context: { simulator: ControlledSimulator; query: URLSearchParams; body: unknown }) => unknown;
}

/** One row for each endpoint; the index at `GET /simulator` is made of it. */
const endpoints: readonly Endpoint[] = [
	{
		method: 'GET',
		path: '',
		about: 'this list',
		run: () => ({ endpoints: endpoints.map(({ method, path, about }) => ({ method, path: `/simulator${path}`, about })) }),
	},
	{ method: 'GET', path: '/state', about: 'sessions, budget, counts', run: ({ simulator }) => simulator.state() },
	{
		method: 'GET',
		path: '/log',
		about: 'the recorded log: ?type=identify,resume&shard=0&connection=1&after=10&limit=100',
		run: ({ simulator, query }) => ({ entries: simulator.log.entries(logFilter(query)), dropped: simulator.log.dropped }),
	},
	{ method: 'DELETE', path: '/log', about: 'forget the log', run: ({ simulator }) => simulator.log.clear() },
	{
		method: 'GET',
		path: '/violations',
		about: 'what clients did against the rules: ?hard=true leaves out what Discord does not enforce',
		run: ({ simulator, query }) => ({ violations: simulator.violations({ hardOnly: query.get('hard') === 'true' }) }),
	},
	{
		method: 'POST',
		path: '/emit',
		about:
			'make an event happen, such as {"type":"MESSAGE_CREATE","data":{"content":"hi"}}; the README has one example of each kind',
		run: ({ simulator, body }) => {
			const { type, data, guildId, userId } = check(emitBody, body);
			const options = { ...(guildId !== undefined && { guildId }), ...(userId !== undefined && { userId }) };
			return { id: emitted(() => simulator.emit(type, data, options)) ?? null };
		},
	},
	{
		method: 'GET',
		path: '/interaction',
		about: 'what the bot has answered to an interaction so far: ?id=…',
		run: ({ simulator, query }) => answerTo(simulator, query.get('id')),
	},
	{
		method: 'GET',
		path: '/faults',
		about: 'faults that hold now',
		run: ({ simulator }) => ({ faults: simulator.faults.active() }),
	},
	{
		method: 'POST',
		path: '/faults',
		about: 'inject a fault: {"fault":"close","code":4000,"shard":1}',
		run: ({ simulator, body }) => simulator.faults.run(check(faultCommand, body)),
	},
	{
		method: 'DELETE',
		path: '/faults',
		about: 'end all faults and the schedule, or one: ?id=1',
		run: ({ simulator, query }) => {
			const id = query.get('id');
			if (id === null) simulator.faults.clear();
			return { ended: id === null ? 'all' : simulator.faults.end(Number(id)) };
		},
	},
	{
		method: 'POST',
		path: '/faults/schedule',
		about: 'faults by time: {"entries":[{"atMs":1000,"everyMs":5000,"command":{"fault":"reconnect"}}]}',
		run: ({ simulator, body }) => {
			const { entries } = check(scheduleBody, body);
			simulator.faults.schedule(entries);
			return { scheduled: entries.length };
		},
	},
	{
		method: 'POST',
		path: '/activity',
		about: 'background events: {"eventsPerSecond":100,"mix":{"message":1}}',
		run: ({ simulator, body }) => {
			const { eventsPerSecond, mix } = check(activityBody, body);
			simulator.activity.start(eventsPerSecond, mix);
			return { eventsPerSecond };
		},
	},
	{
		method: 'POST',
		path: '/guilds',
		about: 'more or fewer guilds: {"count":100}',
		run: ({ simulator, body }) => {
			resizeGuilds(simulator.world, check(guildsBody, body).count);
			return { guilds: simulator.world.guilds.count };
		},
	},
];

export class ControlApi {
	readonly #simulator: ControlledSimulator;

	constructor(simulator: ControlledSimulator) {
		this.#simulator = simulator;
	}

	async handle(request: IncomingMessage, response: ServerResponse, target: RequestTarget): Promise<void> {
		try {
			send(response, await this.#answer(request, target));
		} catch (error) {
			if (error instanceof RestError) send(response, error.answer);
			else if (ShardctlError.is(error)) send(response, new RestError(400, 0, error.message).answer);
			else throw error;
		}
	}

	async #answer(request: IncomingMessage, target: RequestTarget): Promise<RestAnswer> {
		const path = target.path.replace(/^\/simulator/, '').replace(/\/+$/, '');
		const there = endpoints.filter((endpoint) => endpoint.path === path);
		const endpoint = there.find(({ method }) => method === request.method);
		if (there.length === 0) throw new RestError(404, 0, `no such endpoint; GET /simulator lists them all`);
		if (!endpoint)
			throw new RestError(
				405,
				0,
				`${request.method} is not for this endpoint; ${there.map(({ method }) => method).join(' and ')} is`,
			);
		const body = endpoint.method === 'POST' ? await readJson(request) : undefined;
		return ok(endpoint.run({ simulator: this.#simulator, query: target.query, body }) ?? {});
	}
}

/** The data may be anything: where an event of a known kind cannot be made of it, that is the caller's fault. */
function emitted(emit: () => string | undefined): string | undefined {
	try {
		return emit();
	} catch (error) {
		if (error instanceof RestError || ShardctlError.is(error)) throw error;
		throw new RestError(400, 0, `the event cannot be made of this data: ${messageOf(error)}`);
	}
}

function answerTo({ world }: ControlledSimulator, id: string | null): object {
	if (id === null) throw new RestError(400, 0, 'which interaction? ?id=… is missing');
	const interaction = world.interactions.newest((one) => one.id === id);
	if (!interaction) throw new RestError(404, 0, 'no such interaction, or it is too long ago');
	const { type, createdAtMs, respondedAtMs, callbackType, message, followed, modal } = interaction;
	const answeredAfterMs = respondedAtMs === null ? null : respondedAtMs - createdAtMs;
	return { id, type, answeredAfterMs, callbackType, message, followed, modal };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
	if (!request.headers['content-type']?.startsWith('application/json')) {
		throw new RestError(415, 0, 'the body must be sent as application/json');
	}
	return parseJson(await readBytes(request, maxBodyBytes));
}

function check<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
	const parsed = safelyParsed(schema, body);
	if (parsed?.success) return parsed.data;
	const problems = parsed ? optionProblems(parsed.error, []) : [{ option: '', problem: 'has a field of the wrong type' }];
	throw new RestError(400, 0, 'the body is wrong', { problems });
}

function logFilter(query: URLSearchParams): LogFilter {
	const number = (name: string) => {
		const text = query.get(name);
		if (text === null) return undefined;
		if (!/^\d{1,15}$/.test(text)) throw new RestError(400, 0, `${name} must be a number, got "${text}"`);
		return Number(text);
	};
	const [shardId, connectionId, after, limit] = [number('shard'), number('connection'), number('after'), number('limit')];
	const types = query.get('type')?.split(',') as LogType[] | undefined;
	return {
		...(types && { type: types }),
		...(shardId !== undefined && { shardId }),
		...(connectionId !== undefined && { connectionId }),
		...(after !== undefined && { after }),
		limit: limit ?? 1000,
	};
}
