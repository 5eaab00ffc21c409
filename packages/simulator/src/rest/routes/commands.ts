// Application commands, global ones and those of one guild. Discord: Application Commands.
import type { Command } from '../../world/model.js';
import type { World } from '../../world/world.js';
import { found, invalidForm, noContent, ok } from '../answer.js';
import { type Route, type RouteContext, route } from '../route.js';

function scopeOf({ params }: RouteContext): string | undefined {
	return params.guildId;
}

function listed(world: World, guildId: string | undefined): Command[] {
	return [...world.commands.values()].filter((command) => command.guild_id === guildId);
}

// A command of the same name and type in the same scope is replaced and keeps its id.
function put(world: World, guildId: string | undefined, fields: Record<string, unknown>): Command {
	if (typeof fields.name !== 'string' || !/^[^\s]{1,32}$|^.{1,32}$/.test(fields.name))
		throw invalidForm({ name: 'This field is required' });
	const type = Number(fields.type ?? 1);
	const same = listed(world, guildId).find((command) => command.name === fields.name && command.type === type);
	const command: Command = {
		application_id: world.applicationId,
		default_member_permissions: null,
		description: '',
		name_localizations: null,
		description_localizations: null,
		dm_permission: true,
		contexts: null,
		integration_types: [0],
		nsfw: false,
		options: [],
		...fields,
		type,
		id: same?.id ?? world.ids.next(),
		name: fields.name,
		version: world.ids.next(),
		...(guildId !== undefined && { guild_id: guildId }),
	};
	world.commands.set(command.id, command);
	return command;
}

function commandOf({ world, params }: RouteContext): Command {
	const command = world.commands.get(params.commandId as string);
	return found(command?.guild_id === params.guildId ? command : undefined, 'command');
}

function scopeRoutes(base: string): Route[] {
	return [
		route('GET', base, (context) => ok(listed(context.world, scopeOf(context)))),
		route('POST', base, (context) => ok(put(context.world, scopeOf(context), context.body), 201)),
		route('PUT', base, (context) => {
			const { world, rawBody } = context;
			if (!Array.isArray(rawBody)) throw invalidForm({ _errors: 'Only iterables may be used in a ListType' });
			const kept = new Set(rawBody.map((fields) => put(world, scopeOf(context), fields as Record<string, unknown>).id));
			for (const { id } of listed(world, scopeOf(context))) if (!kept.has(id)) world.commands.delete(id);
			return ok(listed(world, scopeOf(context)));
		}),
		route('GET', `${base}/:commandId`, (context) => ok(commandOf(context))),
		route('PATCH', `${base}/:commandId`, (context) => {
			const command = { ...commandOf(context), ...context.body, version: context.world.ids.next() } as Command;
			context.world.commands.set(command.id, command);
			return ok(command);
		}),
		route('DELETE', `${base}/:commandId`, (context) => {
			context.world.commands.delete(commandOf(context).id);
			return noContent;
		}),
	];
}

export const commandRoutes: readonly Route[] = [
	...scopeRoutes('/applications/:applicationId/commands'),
	...scopeRoutes('/applications/:applicationId/guilds/:guildId/commands'),
];
