// The arguments of a command as they are kept in records and shown: without what is secret in them. Every user of the machine can see them
// while the command runs; a record that keeps them would show them to everyone who reads `list` later.

const hidden = '***';
const secretFlag = /^--?[\w-]*(?:token|password|passwd|secret|api-?key)$/i;
const secretValue = /^(--?[\w-]*(?:token|password|passwd|secret|api-?key)=).+$/i;
/** `scheme://user:password@`; the password may itself contain an `@`. */
const urlPassword = /([a-z][a-z\d+.-]*:\/\/[^\s/:@]*:)[^\s]*@/gi;
/** A bot's token. */
const botToken = /[\w-]{20,}\.[\w-]{5,}\.[\w-]{25,}/g;

/** The same arguments, with what is secret replaced by `***`. */
export function shownArguments(args: readonly string[]): string[] {
	return args.map((arg, index) => {
		if (index > 0 && secretFlag.test(args[index - 1] as string) && !arg.startsWith('--')) return hidden;
		return arg.replace(secretValue, `$1${hidden}`).replace(urlPassword, `$1${hidden}@`).replace(botToken, hidden);
	});
}
