// What the path of a request says about its limits.

export interface RestRoute {
	/** For metrics: few and fixed. */
	class: RestRouteClass;
	/** An interaction's answer or follow-up. Discord: Rate Limits: "Interaction endpoints are not bound to the bot's Global Rate Limit." */
	isInteraction: boolean;
}

const classes = [
	'interactions',
	'messages',
	'channels',
	'guilds',
	'webhooks',
	'users',
	'applications',
	'gateway',
	'other',
] as const;
type RestRouteClass = (typeof classes)[number];

/** The token of an interaction is `interaction:…` in base64. Those of webhooks of a channel are random, and count. */
const interactionFollowUp = /^\/webhooks\/\d+\/aW50ZXJhY3Rpb246/;
const known: ReadonlySet<string> = new Set(classes);

/** @param path Without the prefix of the API and its version. */
export function restRoute(path: string): RestRoute {
	const isInteraction = path.startsWith('/interactions/') || interactionFollowUp.test(path);
	if (isInteraction) return { class: 'interactions', isInteraction };
	if (/^\/channels\/\d+\/messages(?:\/|$)/.test(path)) return { class: 'messages', isInteraction };
	const first = /^\/([a-z]+)(?:\/|$)/.exec(path)?.[1] ?? '';
	return { class: known.has(first) ? (first as RestRouteClass) : 'other', isInteraction };
}
