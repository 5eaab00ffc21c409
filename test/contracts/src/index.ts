export { type CoordinatorHarness, identifyCoordinatorContract } from './identify-coordinator.js';
export { describeSnapshotStore } from './snapshot-store.js';
