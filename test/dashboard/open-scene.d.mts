export interface Scene {
	/** An address that logs in once. */
	login(): Promise<string>;
	/** How often its figures were read. */
	readonly reads: number;
	close(): Promise<void>;
}

export function openScene(scene: string, options?: { historyMs?: number }): Promise<Scene>;
