// What is left of a fleet that is gone: its record with when and how it ended. A manager that stops writes this itself; for one that
// was killed, the record that it left behind says when it was last alive.
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { entriesOf, isRecord, type ManagerRecord, readRecord, recordPath, recordSuffix } from '../state-dir/manager-record.js';
import { type Owners, readOwned } from '../state-dir/ownership.js';
import { isSameProcess, processIdentity } from '../state-dir/process-identity.js';
import { believedDirs } from '../state-dir/state-dir.js';

/** How a fleet ended. */
export interface FleetEnd {
	/** `stopped`: on request. `failed`: by an error. `killed`: its manager had no time to write why. */
	how: 'stopped' | 'failed' | 'killed';
	/** The error code, where it failed. */
	code: string | null;
	/** Who asked, or what failed, as half a sentence. */
	message: string;
}

export interface EndedFleet extends ManagerRecord {
	/** Epoch ms; for one that was killed, when it was last known to be alive. */
	endedAt: number;
	end: FleetEnd;
}

export function historyDir(dir: string): string {
	return join(dir, 'history');
}

const suffix = '.end.json';

function endPath(dir: string, name: string): string {
	return join(historyDir(dir), `${name}${suffix}`);
}

/** Keeps how a fleet ended; that of an earlier fleet of the name is replaced. A full disk loses it, never the stop. */
export function writeEnd(dir: string, fleet: EndedFleet): void {
	const path = endPath(dir, fleet.name);
	try {
		mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
		writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(fleet)}\n`, { mode: 0o600 });
		renameSync(`${path}.${process.pid}`, path);
	} catch {
		// There is no other place to report it.
	}
}

/** The end of a fleet whose manager left its record behind. */
export function killedFleet(dir: string, record: ManagerRecord): EndedFleet {
	const { boot } = processIdentity();
	const rebooted = record.boot !== null && boot !== null && record.boot !== boot;
	return {
		...record,
		endedAt: lastAlive(recordPath(dir, record.name)) ?? record.since,
		end: {
			how: 'killed',
			code: null,
			message: rebooted ? 'the machine was restarted' : `its manager, process ${record.pid}, was killed or crashed`,
		},
	};
}

/** The last end of each fleet of this user, by name; of a fleet that runs again too. The newest first. */
export function endedFleets(env: NodeJS.ProcessEnv = process.env): EndedFleet[] {
	const found = new Map<string, EndedFleet>();
	const note = (fleet: EndedFleet | undefined) => {
		if (fleet && (found.get(fleet.name)?.endedAt ?? 0) < fleet.endedAt) found.set(fleet.name, fleet);
	};
	for (const { dir, owners } of believedDirs(env)) {
		for (const entry of entriesOf(historyDir(dir))) {
			if (entry.endsWith(suffix)) note(readEnd(join(historyDir(dir), entry), owners));
		}
		for (const entry of entriesOf(dir)) {
			const record = entry.endsWith(recordSuffix) ? readRecord(join(dir, entry), owners) : undefined;
			if (record && isSameProcess(record) === 'no') note(killedFleet(dir, record));
		}
	}
	return [...found.values()].sort((a, b) => b.endedAt - a.endedAt);
}

function readEnd(path: string, owners: Owners): EndedFleet | undefined {
	try {
		const fleet = JSON.parse(readOwned(path, owners) ?? 'null') as EndedFleet;
		return isRecord(fleet) && typeof fleet.endedAt === 'number' && typeof fleet.end?.how === 'string' ? fleet : undefined;
	} catch {
		return undefined;
	}
}

/** A manager touches its record at an interval. */
function lastAlive(path: string): number | undefined {
	try {
		return Math.round(statSync(path).mtimeMs);
	} catch {
		return undefined;
	}
}
