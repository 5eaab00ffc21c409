// How wide a table may be on a stream.

const unknownWidth = 80;

/** Columns of the terminal, or 80 where it does not know them (0 in a pty without a size); unbounded for a file or a pipe. */
export function outputWidth({ isTTY, columns }: { isTTY?: boolean; columns?: number }): number {
	return isTTY ? columns || unknownWidth : Number.POSITIVE_INFINITY;
}
