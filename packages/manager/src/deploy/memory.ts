// Whether old processes can be kept beside new ones: a deploy must not be what a machine runs out of memory for.
import { freemem, totalmem } from 'node:os';

/** The share of the memory that stays free. */
const spare = 0.2;

/** Of this machine, or of the container that limits it. */
export function hasMemory(): boolean {
	const total = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
	return freeBytes() > total * spare;
}

/** What this machine, or its container, has free. */
export function freeBytes(): number {
	return process.availableMemory?.() ?? freemem();
}
