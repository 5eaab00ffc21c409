// Which version of the bot a worker runs, as far as its command line decides: the file and the folder that were named led somewhere when
// the first process of that version was started. Where they are symbolic links that lead elsewhere by now, as in deploys into a folder per
// release, a restart that no person asked for keeps to the version, and a deploy can bring back the one before. Files that are written
// over in place have only one version: the present one.
import { existsSync, realpathSync } from 'node:fs';

export interface BotPaths {
	file: string;
	cwd?: string | undefined;
}

/** How a worker's process is replaced on request. */
export interface RestartOptions {
	giveUpAfterExits?: number;
	/** `present` (the default): what the paths lead to now. `previous`: the version before, where its files are still there. */
	version?: 'present' | 'previous';
}

export class BotVersion {
	readonly #given: BotPaths;
	/** Where the paths led for this version; undefined before its first process. */
	#present: BotPaths | undefined;
	#previous: BotPaths | undefined;

	/** @param given Of the options. */
	constructor(given: BotPaths, previous?: BotVersion) {
		this.#given = { file: given.file, cwd: given.cwd };
		this.#previous = previous ? previous.#present : undefined;
	}

	/** What the next process is started with: the paths as given where they still lead to this version, or if it is gone. */
	paths(): BotPaths {
		const now = resolved(this.#given);
		if (this.#present && !isSame(now, this.#present) && exists(this.#present)) return this.#present;
		this.#present = now;
		return this.#given;
	}

	/** The next process runs what the paths lead to then. */
	renew(): void {
		this.#previous = this.#present;
		this.#present = undefined;
	}

	/** Whether {@link revert} leads to other files than the present version has. */
	get canRevert(): boolean {
		const present = this.#present ?? resolved(this.#given);
		return this.#previous !== undefined && !isSame(this.#previous, present) && exists(this.#previous);
	}

	/** The next process runs the version before, where its files are still there. */
	revert(): void {
		if (this.canRevert) this.#present = this.#previous;
		this.#previous = undefined;
	}
}

function resolved({ file, cwd }: BotPaths): BotPaths {
	return { file: real(file), cwd: cwd === undefined ? undefined : real(cwd) };
}

/** The path itself where it leads nowhere: the start of the process reports that. */
function real(path: string): string {
	try {
		return realpathSync(path);
	} catch {
		return path;
	}
}

function isSame(one: BotPaths, other: BotPaths): boolean {
	return one.file === other.file && one.cwd === other.cwd;
}

function exists({ file, cwd }: BotPaths): boolean {
	return existsSync(file) && (cwd === undefined || existsSync(cwd));
}
