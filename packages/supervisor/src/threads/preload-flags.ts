// Which flags of node belong to the threads of a process, and which to the process itself.

/** They load modules before the program: into each thread, and not into the process around them. */
const preload = /^(?:-r|--require|--import|--loader|--experimental-loader)(=.*)?$/;

/** The flags without those that load modules before the program. */
export function withoutPreloads(execArgv: readonly string[]): string[] {
	const rest: string[] = [];
	for (let index = 0; index < execArgv.length; index++) {
		const match = preload.exec(execArgv[index] as string);
		if (!match) rest.push(execArgv[index] as string);
		// Its value is the next argument.
		else if (match[1] === undefined) index++;
	}
	return rest;
}
