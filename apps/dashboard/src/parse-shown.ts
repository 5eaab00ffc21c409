// Reads JSON of the manager that is shown. Names, reasons and lines are what bots and their users wrote: what a terminal would act on is taken
// out, and what would turn the direction of the text around it becomes a replacement character, which can be seen.

/** ECMA-48: control sequences such as colours, strings such as the title of a window, and single controls. */
const terminal = new RegExp(
	[
		'(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]',
		'(?:\\u001b[\\]P^_X]|[\\u0090\\u0098\\u009d-\\u009f])[^\\u0007\\u001b\\u009c]*(?:\\u0007|\\u001b\\\\|\\u009c)',
		'(?![\\t\\n])\\p{Cc}',
	].join('|'),
	'gu',
);
/** Unicode, "Bidirectional Algorithm": embeddings, overrides and isolates. A language needs none of them. */
const directions = /[\u202a-\u202e\u2066-\u2069]/g;
/** JSON escapes most controls, and neither these from DEL on nor directions. */
const suspicious = /\\u00[01]|\\[bfr]|[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

export function parseShown(json: string): unknown {
	// Figures arrive every second; those without anything to take out, as nearly all, are read as fast as possible.
	if (!suspicious.test(json)) return JSON.parse(json);
	return JSON.parse(json, (_key, value: unknown) =>
		typeof value === 'string' ? value.replace(terminal, '').replace(directions, '\ufffd') : value,
	);
}
