// Durations for people, as short as they can be.

/** `80 ms`, `12.3 s`, `30 s`, `5 min`, `3 h 25 min`. */
export function formatDuration(durationMs: number): string {
	if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
	const seconds = durationMs / 1000;
	if (seconds < 60) return `${seconds.toFixed(1).replace(/\.0$/, '')} s`;
	const minutes = Math.floor(seconds / 60);
	return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
