// A fleet, or a simulator, does not end with its output: after `shardctl start … | head -2`, in a terminal that was closed, or on a full disk, it runs on.

/** From here on no standard stream ends this process. Other commands end when their reader does. */
export function surviveFailedOutput(): void {
	for (const stream of [process.stdout, process.stderr]) {
		stream.removeAllListeners('error');
		// What is lost is counted where it is written; see guarded-output.ts.
		stream.on('error', () => {});
	}
}
