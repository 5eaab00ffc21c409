export type { SimulatorOptions } from './options.js';
export { createSimulator, type Simulator } from './simulator.js';
