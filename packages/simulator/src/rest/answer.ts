// What a REST route returns, and Discord's errors as values that routes throw and the handler turns into answers.

export interface RestAnswer {
	status: number;
	/** Left out for 204. */
	body?: unknown;
	/** Instead of a body: text as it is, with its own content-type in `headers`. */
	text?: string;
	headers?: Record<string, string>;
}

export function ok(body: unknown, status = 200): RestAnswer {
	return { status, body };
}

export const noContent: RestAnswer = { status: 204 };

/** An error of Discord's REST API: HTTP status, JSON error code, message. Discord: Opcodes and Status Codes, "JSON". */
export class RestError extends Error {
	readonly answer: RestAnswer;

	constructor(status: number, code: number, message: string, more: object = {}) {
		super(message);
		this.answer = { status, body: { message, code, ...more } };
	}
}

const unknownThings = {
	account: [10001, 'Unknown Account'],
	application: [10002, 'Unknown Application'],
	channel: [10003, 'Unknown Channel'],
	guild: [10004, 'Unknown Guild'],
	member: [10007, 'Unknown Member'],
	message: [10008, 'Unknown Message'],
	role: [10011, 'Unknown Role'],
	user: [10013, 'Unknown User'],
	emoji: [10014, 'Unknown Emoji'],
	webhook: [10015, 'Unknown Webhook'],
	ban: [10026, 'Unknown Ban'],
	interaction: [10062, 'Unknown interaction'],
	command: [10063, 'Unknown application command'],
	voiceState: [10065, 'Unknown Voice State'],
} as const;

/** The 404 of a thing that is not there. */
export function unknown(thing: keyof typeof unknownThings): RestError {
	const [code, message] = unknownThings[thing];
	return new RestError(404, code, message);
}

/** The thing, or its 404. */
export function found<T>(value: T | undefined | null, thing: keyof typeof unknownThings): T {
	if (value === undefined || value === null) throw unknown(thing);
	return value;
}

export const unauthorized = new RestError(401, 0, '401: Unauthorized');

/** The 400 for a body that has the wrong form. */
export function invalidForm(errors: Record<string, string>): RestError {
	const fields = Object.entries(errors).map(([field, message]) => [field, { _errors: [{ code: 'BASE_TYPE_BAD', message }] }]);
	return new RestError(400, 50035, 'Invalid Form Body', { errors: Object.fromEntries(fields) });
}
