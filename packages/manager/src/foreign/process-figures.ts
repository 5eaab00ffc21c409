// Memory and processor time of a process with its descendants, as the operating system counts them: a program may be a shell that has
// started the bot.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessFigures {
	rssBytes: number;
	/** Of the present processes, and of those that they have waited for. */
	cpuSeconds: number;
}

/** Linux counts processor time in hundredths of a second for programs, whatever the kernel's own clock. proc(5): sysconf(_SC_CLK_TCK). */
const ticksPerSecond = 100;
const pageBytes = 4096;
/** More descendants than a program can have by accident. */
const maxProcesses = 1000;

/** Undefined where the process is gone, or the system does not say. */
export async function processFigures(pid: number): Promise<ProcessFigures | undefined> {
	if (process.platform === 'linux') return linuxFigures(pid);
	return process.platform === 'win32' ? undefined : groupFigures(pid);
}

function linuxFigures(pid: number): ProcessFigures | undefined {
	const pids = [pid];
	const total: ProcessFigures = { rssBytes: 0, cpuSeconds: 0 };
	let found = 0;
	for (const each of pids) {
		const figures = statOf(each);
		if (!figures) continue;
		found++;
		total.rssBytes += figures.rssBytes;
		total.cpuSeconds += figures.cpuSeconds;
		if (pids.length < maxProcesses) pids.push(...childrenOf(each));
	}
	return found > 0 ? total : undefined;
}

function statOf(pid: number): ProcessFigures | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
		// "pid (name) state ppid …", where the name may hold spaces and parentheses; `state` is field 3.
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		const field = (number: number) => Number(fields[number - 3]);
		const ticks = [14, 15, 16, 17].reduce((sum, number) => sum + field(number), 0);
		return { rssBytes: field(24) * pageBytes, cpuSeconds: ticks / ticksPerSecond };
	} catch {
		return undefined;
	}
}

/** Of its main thread, which starts the others; kernels without the file have none. */
function childrenOf(pid: number): number[] {
	try {
		return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
	} catch {
		return [];
	}
}

/** The child leads a process group of its own. ps(1) of macOS and the BSDs; `time` is `[[dd-]hh:]mm:ss.ss`. */
function groupFigures(pid: number): Promise<ProcessFigures | undefined> {
	return new Promise((resolve) => {
		execFile('ps', ['-A', '-o', 'pgid=,rss=,time='], { timeout: 5000 }, (error, output) => {
			if (error) {
				resolve(undefined);
				return;
			}
			const own = output
				.split('\n')
				.map((line) => line.trim().split(/\s+/))
				.filter(([group]) => Number(group) === pid);
			const rssBytes = own.reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0);
			resolve(own.length === 0 ? undefined : { rssBytes, cpuSeconds: own.reduce((sum, [, , time]) => sum + secondsOf(time), 0) });
		});
	});
}

export function secondsOf(time = ''): number {
	const [clock = '', days = '0'] = time.split('-').reverse();
	return clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days) * 86_400;
}
