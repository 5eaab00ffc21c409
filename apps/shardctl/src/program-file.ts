// The program that users start: for what runs it again, as a process of its own.
import { join } from 'node:path';

/** Of `shardctl`. Files at the root of `dist/` and what is bundled there are one folder below the package. */
export const programFile = join(import.meta.dirname, '..', 'bin', 'shardctl.js');
