// Says on standard error that a fleet is gone, after what was read from its files.
import { describeEnd, type EndedFleet } from '@shardctl/control';
import { printErr } from '../terminal/print.js';

export function reportEnded(fleet: EndedFleet): void {
	printErr(`(${fleet.name} is not running: ${describeEnd(fleet)})\n`);
}
