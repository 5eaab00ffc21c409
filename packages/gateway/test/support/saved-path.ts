// Where a gateway process has saved a shard.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The path of a shard's snapshot; one that does not exist while none is saved. */
export function savedPath(snapshotDir: string, shardId: number): string {
	const fence = existsSync(snapshotDir) ? readdirSync(snapshotDir).find((name) => /^\d+$/.test(name)) : undefined;
	const folder = join(snapshotDir, fence ?? '0');
	const name = existsSync(folder) ? readdirSync(folder).find((each) => each.endsWith(`.shard-${shardId}`)) : undefined;
	return join(folder, name ?? `shard-${shardId}`);
}
