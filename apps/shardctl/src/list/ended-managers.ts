// The fleets of this user that are gone: how each ended, and how it was started.
import { type EndedFleet, endedFleets, endReason, type FleetEnd, shownArguments } from '@shardctl/control';
import { age } from '../terminal/age.js';
import { out } from '../terminal/colours.js';
import { ownCommand } from '../terminal/own-command.js';
import { tableLines } from '../terminal/table.js';
import { wrap } from '../terminal/wrap.js';

/** One fleet that has ended. `status` is `stopped`, `failed` or `killed`. */
export interface EndedManager {
	name: string;
	status: FleetEnd['how'];
	pid: number;
	/** Epoch ms. */
	startedAt: number;
	endedAt: number;
	cwd: string;
	file: string;
	/** The arguments of its process, from the script on. */
	command: readonly string[];
	end: FleetEnd;
}

export function endedManagers(): EndedManager[] {
	return endedFleets().map(({ name, pid, since, endedAt, cwd, file, command = [], end }: EndedFleet) => ({
		name,
		status: end.how,
		pid,
		startedAt: since,
		endedAt,
		cwd,
		file,
		// Records of earlier versions have them as they were given.
		command: shownArguments(command),
		end,
	}));
}

/** The table for people, with a line below for each fleet. */
export function endedTable(fleets: readonly EndedManager[], { width, nowMs }: { width: number; nowMs: number }): string {
	const lines = tableLines<EndedManager>(
		[
			{ title: 'ENDED', cell: ({ name }) => out.bold(name) },
			{ title: 'STATUS', cell: ({ status }) => (status === 'stopped' ? out.dim(status) : out.red(status)) },
			{ title: 'AGO', cell: ({ endedAt }) => age(nowMs - endedAt), align: 'right' },
			{ title: 'RAN FOR', cell: ({ startedAt, endedAt }) => age(endedAt - startedAt), align: 'right', leaves: 2 },
			{ title: 'PID', cell: ({ pid }) => String(pid), align: 'right', leaves: 1 },
			{ title: 'FOLDER', cell: ({ cwd }) => out.dim(cwd), leaves: 3 },
		],
		fleets,
		{ width, dim: out.dim },
	);
	const notes = fleets.flatMap(({ name, end, command, cwd }) => [
		...wrap(`${name}: ${endReason(end)}`, width),
		...(command.length > 0 ? wrap(`  started with: ${commandText(command, cwd)}`, width, '    ').map(out.dim) : []),
	]);
	return `${[...lines, ...notes].join('\n')}\n`;
}

/** The command as a person types it. */
function commandText([script = '', ...args]: readonly string[], cwd: string): string {
	const shown = args.map((arg) => (/[\s"'$]/.test(arg) ? JSON.stringify(arg) : arg));
	return [isShardctl(script) ? ownCommand({ script, cwd }) : `node ${script}`, ...shown].join(' ');
}

function isShardctl(script: string): boolean {
	return /[/\\]shardctl(?:\.js)?$/.test(script);
}
