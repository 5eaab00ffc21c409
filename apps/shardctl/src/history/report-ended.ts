// Says on standard error that a fleet is gone, after what was read from its files.
import { describeEnd, type EndedFleet } from '@shardctl/control';

export function reportEnded(fleet: EndedFleet): void {
	process.stderr.write(`(${fleet.name} is not running: ${describeEnd(fleet)})\n`);
}
