// Turns raw options into resolved ones through a zod schema: every problem is reported at once, unknown keys are refused,
// and a near miss is answered with the name that was probably meant.
import type { z } from 'zod';
import { ShardctlError } from './errors.js';
import { nearestName } from './nearest-name.js';

/** A message of any number of problems is of no use to anyone. */
const mostProblems = 50;

/** One thing that is wrong with the options: where, and what to do. */
export interface OptionProblem {
	/** Path of the option, such as `respawn.maxRestarts`; empty for the whole. */
	option: string;
	problem: string;
}

/** The problems of `input` under a strict object schema, as sentences. */
export function optionProblems(error: z.ZodError, known: readonly string[]): OptionProblem[] {
	return error.issues.flatMap((issue): OptionProblem[] => {
		const option = issue.path.join('.');
		if (issue.code !== 'unrecognized_keys') return [{ option, problem: issue.message }];
		return issue.keys.map((key) => {
			const meant = issue.path.length === 0 ? nearestName(key, known) : undefined;
			return {
				option: [...issue.path, key].join('.'),
				problem: meant ? `is not an option; did you mean "${meant}"?` : 'is not an option',
			};
		});
	});
}

/**
 * What the schema reads in a value of another process, or undefined where the check itself fails: zod compares the `length` of whatever
 * has one, and that may be a value that cannot be compared.
 */
export function safelyParsed<Read>(schema: { safeParse(value: unknown): Read }, value: unknown): Read | undefined {
	try {
		return schema.safeParse(value);
	} catch {
		return undefined;
	}
}

/** One `OPTIONS_INVALID` error that names every problem, one a line. */
export function optionsError(subject: string, problems: readonly OptionProblem[]): ShardctlError {
	const shown = problems.slice(0, mostProblems);
	const lines = shown.map(({ option, problem }) => `  ${option ? `${option}: ` : ''}${problem}`);
	if (problems.length > shown.length) lines.push(`  and ${problems.length - shown.length} more`);
	const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
	return new ShardctlError('OPTIONS_INVALID', `${subject}: ${count}\n${lines.join('\n')}`, { details: { problems: shown } });
}
