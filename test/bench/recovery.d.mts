export interface Recovery {
	/** Medians in ms. */
	bareMs: number;
	recoveryMs: number;
	ratio: number;
}

export function measureRecovery(file: string, rounds: number): Promise<Recovery>;
