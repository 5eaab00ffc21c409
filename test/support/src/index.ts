export { type CliRun, type CliSandbox, cliSandbox } from './cli.js';
export { type FakeClock, fakeClock } from './fake-clock.js';
export { type Attack, type HostileFrames, hostileFrames } from './hostile-frames.js';
export { type HostileIpc, type HostileIpcOptions, hostileIpc } from './hostile-ipc.js';
export { type HostileRequests, hostileRequests } from './hostile-requests.js';
export { type Network, networkTo } from './network.js';
export { isAlive, leadsGroup, processesWithEnv } from './processes.js';
export { tempDir } from './temp-dir.js';
export { waitFor } from './wait-for.js';
