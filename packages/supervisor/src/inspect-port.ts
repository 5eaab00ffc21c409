// Gives every child an inspector port of its own. Of two processes that are given the same port the second one runs without an
// inspector, with nothing but a line on its standard error to say so.

const inspectFlag = /^--(inspect(?:-brk|-wait|-port)?|debug-port)(?:=(.*))?$/;
const defaultPort = 9229;

/**
 * `execArgv` with every `--inspect*` port moved up by `ordinal`, so that child 3 of `--inspect=9229` always listens on 9232,
 * also after a restart. Where the given port is the owner's own (`ownPort`), children start one above it. Port 0 (any free
 * one) stays 0, and so does a port that would pass 65535.
 */
export function withInspectPort(execArgv: readonly string[], ordinal: number, ownPort: number | null = null): string[] {
	return execArgv.map((arg) => {
		const match = inspectFlag.exec(arg);
		if (!match) return arg;
		const [, flag, address = ''] = match;
		const parsed = /^(?:(.*):)?(\d+)$/.exec(address);
		// Node takes a bare host too: `--inspect=0.0.0.0` listens there on 9229.
		const host = parsed ? parsed[1] : address || undefined;
		const port = parsed ? Number(parsed[2]) : defaultPort;
		const first = port === ownPort ? port + 1 : port;
		const moved = port === 0 || first + ordinal > 65_535 ? 0 : first + ordinal;
		return `--${flag}=${host === undefined ? '' : `${host}:`}${moved}`;
	});
}

/**
 * Whether a child with these flags and this environment is started with an inspector, for a person to use. VS Code attaches itself through
 * a module that `NODE_OPTIONS` loads, and names itself in a variable.
 */
export function asksForInspector({ execArgv = [], env }: { execArgv?: readonly string[]; env: NodeJS.ProcessEnv }): boolean {
	const flags = [...execArgv, ...(env.NODE_OPTIONS ?? '').split(/\s+/)];
	return env.VSCODE_INSPECTOR_OPTIONS !== undefined || flags.some((flag) => /^--inspect(?:-brk|-wait)?(?:=|$)/.test(flag));
}

/** Whether these flags hold the child back until a debugger comes: such a child is slow on purpose. */
export function waitsForDebugger(execArgv: readonly string[]): boolean {
	return execArgv.some((arg) => /^--inspect-(?:brk|wait)(?:=|$)/.test(arg));
}
