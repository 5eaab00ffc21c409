// A fleet does not end with the reader of its output: after `shardctl start … | head -2`, or in a terminal that was closed, it runs on.

/** From here on a closed standard output or standard error is no error. Other commands end when their reader does. */
export function surviveClosedOutput(): void {
	for (const stream of [process.stdout, process.stderr]) {
		stream.removeAllListeners('error');
		stream.on('error', (error: NodeJS.ErrnoException) => {
			if (error.code !== 'EPIPE') throw error;
		});
	}
}
