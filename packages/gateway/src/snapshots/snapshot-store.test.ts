import { describeSnapshotStore } from '@shardctl/contract-suites';
import { tempDir } from '@shardctl/test-support';
import { MemoryContent, MemorySnapshotStore } from '../../test/support/memory-snapshot-store.js';
import { FileSnapshotStore } from './file-snapshot-store.js';

describeSnapshotStore('a folder', () => {
	const folder = tempDir();
	return () => new FileSnapshotStore(folder);
});

describeSnapshotStore('memory', () => {
	const content = new MemoryContent();
	return () => new MemorySnapshotStore(content);
});
