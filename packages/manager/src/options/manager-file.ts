// Recognises a file that starts processes for its shards by itself, from its text and without running it. Under a manager each worker of
// such a file would start a fleet of its own; the bot file is the one that it starts.
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export interface ManagerFile {
	/** `a ShardingManager` */
	starts: string;
	/** The file that it starts, as one would name it from the folder that was asked about; undefined where the text does not say. */
	botFile: string | undefined;
}

const construction =
	/\bnew\s+(?:[\w$]+\.)?(ShardingManager|ClusterManager)\s*\(\s*(?:(['"`])([^'"`$\n]+)\2|((?:path\s*\.\s*)?join\s*\(\s*__dirname\s*,\s*(['"])([^'"\n]+)\5))?/;
const fork = /\bcluster\s*\.\s*fork\s*\(/;

/** Undefined for a file that is none, or cannot be read. Comments do not count. */
export function recogniseManagerFile(path: string, cwd: string): ManagerFile | undefined {
	let text: string;
	try {
		text = readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
	const code = text.replace(/\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/.*$/gm, '');
	const manager = construction.exec(code);
	if (manager) {
		const [, name, , plain, , , joined] = manager;
		// As its manager resolves it: a plain path from the working folder, a joined one from the file's own.
		const named = plain === undefined ? joined && join(dirname(path), joined) : resolve(cwd, plain);
		return { starts: `a ${name}`, botFile: named === undefined ? undefined : `./${relative(cwd, named)}` };
	}
	return fork.test(code) ? { starts: 'processes with cluster.fork()', botFile: undefined } : undefined;
}
