// The frames of a paused program as text.

const maxFrames = 10;

/** Of Chrome's DevTools protocol, in part. */
export interface CallFrame {
	functionName: string;
	url: string;
	location: { scriptId: string; lineNumber: number; columnNumber?: number };
}

/** The innermost frames, innermost first. */
export function frameTexts(frames: readonly CallFrame[]): string[] {
	return frames.slice(0, maxFrames).map(formatFrame);
}

function formatFrame({ functionName, url, location }: CallFrame): string {
	const place = `${url}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`;
	return functionName === '' ? place : `${functionName} (${place})`;
}
