// The OpenAPI 3.1 description, made from the routes and the schemas that check requests.
import { z } from 'zod';
import { endpoint, type Operation, pathFields } from '../api/endpoints.js';
import { errorBody } from '../api/schemas.js';
import type { Route } from './route.js';

const jsonType = 'application/json';
const json = (schema: unknown) => ({ [jsonType]: { schema } });

/** Describes every operation of the table. */
export function openApi(routes: Readonly<Record<Operation, Route>>, version: string): Record<string, unknown> {
	const paths: Record<string, Record<string, unknown>> = {};
	for (const [operation, definition] of Object.entries(routes) as [Operation, Route][]) {
		const { method, path } = endpoint(operation);
		paths[path] = { ...paths[path], [method.toLowerCase()]: describe(operation, definition) };
	}
	return {
		openapi: '3.1.0',
		info: {
			title: 'shardctl control API',
			version,
			description: 'Served on a Unix socket that only its user can open, and over TCP with a bearer token if configured.',
		},
		security: [{}, { token: [] }],
		components: {
			securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
			schemas: { Error: jsonSchema(z.object({ error: errorBody })) },
		},
		paths,
	};
}

function describe(
	operation: Operation,
	{ summary, input, output, contentType = jsonType, follow }: Route,
): Record<string, unknown> {
	const { method, path } = endpoint(operation);
	const { properties = {}, required = [] } = jsonSchema(input) as {
		properties?: Record<string, { description?: string }>;
		required?: string[];
	};
	const inPath = pathFields(path);
	const elsewhere = Object.keys(properties).filter((name) => !inPath.includes(name));
	const parameter = (name: string, place: 'path' | 'query') => {
		const { description, ...schema } = properties[name] as { description?: string };
		return { name, in: place, required: required.includes(name), ...(description ? { description } : {}), schema };
	};
	const stream = follow ? { 'text/event-stream': { schema: { type: 'string' }, 'x-event-data': jsonSchema(follow.item) } } : {};
	return {
		operationId: operation,
		summary,
		parameters: [
			...inPath.map((name) => parameter(name, 'path')),
			...(method === 'GET' ? elsewhere.map((name) => parameter(name, 'query')) : []),
		],
		...(method === 'POST' && elsewhere.length > 0
			? {
					requestBody: {
						required: elsewhere.some((name) => required.includes(name)),
						content: json({
							type: 'object',
							properties: Object.fromEntries(elsewhere.map((name) => [name, properties[name]])),
							required: elsewhere.filter((name) => required.includes(name)),
							additionalProperties: false,
						}),
					},
				}
			: {}),
		responses: {
			200: { description: 'success', content: { [contentType]: { schema: jsonSchema(output) }, ...stream } },
			default: {
				description: 'an error with one of the documented codes',
				content: json({ $ref: '#/components/schemas/Error' }),
			},
		},
	};
}

function jsonSchema(schema: z.ZodType): Record<string, unknown> {
	const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Record<
		string,
		unknown
	>;
	return rest;
}
