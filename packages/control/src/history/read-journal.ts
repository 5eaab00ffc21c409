// Reads the files of a journal, of a fleet that is gone or of one that runs.
import { join } from 'node:path';
import type { LogEntry } from '../fleet/fleet.js';
import type { FleetEvent } from '../fleet/fleet-events.js';
import { readOwned } from '../state-dir/ownership.js';
import { believedDirs } from '../state-dir/state-dir.js';
import { historyDir } from './ended-fleet.js';
import { eventsFile, outputFile } from './journal-files.js';

/** The events of a fleet, oldest first. */
export function journalEvents(name: string, env: NodeJS.ProcessEnv = process.env): FleetEvent[] {
	return read<FleetEvent>(eventsFile(name), env);
}

/** What its bots printed, oldest first. */
export function journalOutput(name: string, env: NodeJS.ProcessEnv = process.env): LogEntry[] {
	return read<LogEntry>(outputFile(name), env);
}

function read<T extends { at: number }>(file: string, env: NodeJS.ProcessEnv): T[] {
	const items = believedDirs(env).flatMap(({ dir, owners }) =>
		['.log.1', '.log'].flatMap((suffix) => itemsOf<T>(readOwned(join(historyDir(dir), `${file}${suffix}`), owners) ?? '')),
	);
	return items.sort((a, b) => a.at - b.at);
}

function itemsOf<T>(text: string): T[] {
	return text.split('\n').flatMap((line) => {
		try {
			return [JSON.parse(line) as T];
		} catch {
			// The line that a full disk or a kill has cut.
			return [];
		}
	});
}
