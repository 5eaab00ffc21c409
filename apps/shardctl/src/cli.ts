// Where the command line begins. It answers the question for help itself, from the text that the build made, since everybody's
// first command should not load the rest to say what never changes; all else is in main.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The text is as wide; on a narrower terminal it is made anew. */
const helpColumns = 80;

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--help' || args[0] === '-h') && (process.stdout.columns ?? helpColumns) >= helpColumns) {
	process.stdout.write(readFileSync(join(import.meta.dirname, 'help.txt')));
} else void import('./main.js').then(({ main }) => main());
