export interface Recovery {
	/** From the start of the process to its word that it is ready, one figure a round. */
	bareMs: number[];
	/** From `kill -9` to ready again, one figure a round. */
	recoveryMs: number[];
}

export function measureRecovery(file: string, rounds: number): Promise<Recovery>;
