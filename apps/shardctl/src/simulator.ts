// The public door of the simulator: what `import … from 'shardctl/simulator'` gives.
export { createSimulator, type Simulator, type SimulatorOptions } from '@shardctl/simulator';
