// One thing that the doctor looked at.

export interface Finding {
	/** Short and stable, for programs. */
	check: string;
	/** `skip`: could not be looked at, because something before it is missing. */
	status: 'ok' | 'warn' | 'fail' | 'skip';
	message: string;
	/** What to do about it. */
	remedy?: string;
}

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message });
export const skip = (check: string, message: string): Finding => ({ check, status: 'skip', message });
export const warn = (check: string, message: string, remedy: string): Finding => ({ check, status: 'warn', message, remedy });
export const fail = (check: string, message: string, remedy: string): Finding => ({ check, status: 'fail', message, remedy });
