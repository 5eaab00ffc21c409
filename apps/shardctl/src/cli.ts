// The entry point of the command line. It prints the help by itself, from a file that the build has rendered, so that the first
// command of every user loads nothing else; the rest is in main.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The width of the rendered help; a narrower terminal gets help that is rendered for it. */
const helpColumns = 80;

// A reader that stops early (`| head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
	if (error.code === 'EPIPE') process.exit(0);
	process.stderr.write(`error: standard output cannot be written: ${error.message}\n`, () => process.exit(1));
});
process.stderr.on('error', () => {});

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--help' || args[0] === '-h') && (process.stdout.columns || helpColumns) >= helpColumns) {
	process.stdout.write(readFileSync(join(import.meta.dirname, 'help.txt')));
} else void import('./main.js').then(({ main }) => main());
