export interface ImportRules {
	arrows: Record<string, string[]>;
	appArrows: Record<string, string[]>;
	onlyInTests: string[];
	floors: Record<string, string[][]>;
}
export function importProblems(sources: ReadonlyMap<string, string>, rules: ImportRules): string[];
export function unknownProblems(problems: readonly string[], known: readonly string[]): string[];
