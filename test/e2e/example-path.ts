// The location of the examples.
import { fileURLToPath } from 'node:url';

/** The absolute path of a file in apps/examples. */
export function examplePath(file: string): string {
	return fileURLToPath(new URL(`../../apps/examples/${file}`, import.meta.url));
}
