// What to do about a worker that ended because of something that a thread cannot do.

const reasons: readonly (readonly [RegExp, string])[] = [
	[
		/\bERR_WORKER_UNSUPPORTED_OPERATION\b/,
		'uses a part of process that no thread has, such as process.chdir() or process.abort()',
	],
	[/\bprocess\.send is not a function\b/, 'calls process.send(), which no thread has (its parentPort takes messages)'],
	[/Module did not self-register/, 'loads a native addon that cannot be loaded in several threads of a process'],
];

/** From the last lines of its standard error; undefined where they say nothing of the kind. */
export function threadAdvice(stderrTail: readonly string[]): string | undefined {
	const found = reasons.find(([pattern]) => stderrTail.some((line) => pattern.test(line)));
	return found && `the bot ${found[1]}: start it with --worker-mode process`;
}
