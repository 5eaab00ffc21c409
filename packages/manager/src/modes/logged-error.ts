// Whether a line that a process wrote reports an error. For standard error that is the first line of an error or of a message of that
// level; for standard output only what a logger marks as one.
import { stripVTControlCharacters } from 'node:util';

/** `{"level":50,…}` (pino, bunyan), `{"level":"error",…}` (winston), `{"severity":"ERROR",…}`. */
const json = /"(?:level|severity)":\s*(?:[56]0\b|"(?:error|fatal|critical|emerg|alert|crit)")/i;
/** `error: …`, `[ERROR] …`, `2026-11-30 04:00:00 ERROR …`, `[04:00:00] FATAL (12): …` */
const marked = /^[^a-z]{0,40}\b(?:error|fatal)\b\s*[\]:(|>-]/i;
const loud = /^[^a-z]{0,40}\b(?:ERROR|FATAL)\b/;
/** `TypeError: …`, `Uncaught DiscordAPIError[50013]: …`; a frame or a property of one is indented. */
const thrown = /^(?!\s).*?\b\w*Error\b(?:\s*\[\w+\])?(?::|$)/;

export function isLoggedError(stream: 'stdout' | 'stderr', line: string): boolean {
	const plain = stripVTControlCharacters(line);
	if (json.test(plain) || marked.test(plain) || loud.test(plain)) return true;
	return stream === 'stderr' && thrown.test(plain);
}
