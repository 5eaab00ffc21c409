// Types of what the tests use of the model.
export type Action = readonly [kind: string, ...args: (number | string | boolean | undefined)[]];
export type ModelState = number[];

export interface DescribedState {
	known: boolean;
	version: number;
	quiet: number;
	sessions: { owner: number; epoch: number; phase: number; target: number; unsure: boolean }[];
	nodes: {
		alive: number;
		deadline: number;
		valid: number;
		identityAge: number;
		sessions: { held: number; hold: number; letGo: number }[];
	}[];
}

export interface OwnershipModel {
	initial(): ModelState;
	next(state: ModelState, emit: (label: string, next: ModelState, broken: string | undefined, action: Action) => void): void;
	broken(state: ModelState): string | undefined;
	describe(state: ModelState): DescribedState;
}

export function ownershipModel(config: {
	nodes?: number;
	sessions?: number;
	faults?: readonly string[];
	budget?: number;
	moves?: boolean;
	writes?: boolean;
	reassign?: boolean;
	rules?: Record<string, unknown>;
}): OwnershipModel;

export function explore(
	model: unknown,
	limits?: { maxStates?: number; maxMs?: number },
): { states: number; depth: number; complete: boolean; violation?: { wrong: string; trace: string[] } };

type Experiment = readonly [name: string, about: string, config: object, before: object | undefined, after: object | undefined];
export const experiments: readonly Experiment[];
export const proofs: readonly (readonly [name: string, about: string, config: object])[];
