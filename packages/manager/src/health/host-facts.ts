// What the machine has left of what a fleet needs: space in the state folder, open files of the manager, memory. Read at most once a
// second, since figures are asked for often.
import { readdir, readFile, statfs } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { stateDir } from '@shardctl/control';
import type { Clock, HostFacts } from '@shardctl/core';

const sameFactsMs = 1000;

export class HostWatch {
	readonly #clock: Clock;
	#last: { at: number; facts: Promise<HostFacts> } | undefined;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	facts(): Promise<HostFacts> {
		const now = this.#clock.monotonic();
		if (!this.#last || now - this.#last.at >= sameFactsMs) this.#last = { at: now, facts: hostFacts() };
		return this.#last.facts;
	}
}

async function hostFacts(): Promise<HostFacts> {
	const [space, openFiles] = await Promise.all([orNull(stateDirSpace), orNull(openFilesOfThisProcess)]);
	return { stateDir: space, openFiles, memory: memory() };
}

async function stateDirSpace(): Promise<HostFacts['stateDir']> {
	const folder = stateDir();
	const { bavail, blocks, bsize } = await statfs(folder);
	return { folder, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** Linux only. */
async function openFilesOfThisProcess(): Promise<HostFacts['openFiles']> {
	const [open, limits] = await Promise.all([readdir('/proc/self/fd'), readFile('/proc/self/limits', 'utf8')]);
	const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
	// One of them is the listing itself.
	return soft === undefined ? null : { used: open.length - 1, limit: Number(soft) };
}

/** Of this machine, or of the container that limits it. */
function memory(): HostFacts['memory'] {
	const totalBytes = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
	return { availableBytes: Math.min(process.availableMemory?.() ?? freemem(), totalBytes), totalBytes };
}

async function orNull<T>(read: () => Promise<T | null>): Promise<T | null> {
	try {
		return await read();
	} catch {
		return null;
	}
}
