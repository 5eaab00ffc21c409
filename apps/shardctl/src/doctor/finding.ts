// The result of one check of the doctor.

export interface Finding {
	/** Short and stable, for programs. */
	check: string;
	/** `skip`: not checked, because something it needs is missing. */
	status: 'ok' | 'warn' | 'fail' | 'skip';
	message: string;
	/** What to do about it. */
	remedy?: string;
}

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message });
export const skip = (check: string, message: string): Finding => ({ check, status: 'skip', message });
export const warn = (check: string, message: string, remedy: string): Finding => ({ check, status: 'warn', message, remedy });
export const fail = (check: string, message: string, remedy: string): Finding => ({ check, status: 'fail', message, remedy });
