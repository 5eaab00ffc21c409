// What to do where Node could not load a file because of its extension: TypeScript without a loader, or with one that takes the file for
// CommonJS.

const unknown = /^TypeError\b.*: Unknown file extension "(\.\w+)"/;

/** The problem and its remedy, from what a process wrote to stderr; undefined where it is not about TypeScript. */
export function fileExtensionAdvice(stderr: readonly string[]): { problem: string; remedy: string } | undefined {
	const extension = stderr.map((line) => unknown.exec(line)?.[1]).findLast(Boolean);
	if (extension !== '.ts' && extension !== '.tsx' && extension !== '.mts' && extension !== '.cts') return undefined;
	return {
		problem: `this Node.js cannot run ${extension} files by itself`,
		remedy:
			'Install a loader in the bot\'s folder, which is then used: npm install tsx. Or name one in "execArgv" of the config file, or ' +
			'start the compiled .js file. If a loader is installed, the package.json lacks "type": "module", which a file with a top-level ' +
			'await or import.meta needs',
	};
}
