// Light, dark, or as the system has it; kept for this browser.
import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const storageKey = 'shardctl-theme';
const stored = localStorage.getItem(storageKey);

export const theme = signal<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');
/** Grows when colours change, by choice or with the system. */
export const colourGeneration = signal(0);

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => colourGeneration.value++);

export function applyTheme(chosen: Theme = theme.value): void {
	theme.value = chosen;
	document.documentElement.dataset.theme = chosen;
	localStorage.setItem(storageKey, chosen);
	colourGeneration.value++;
}

/** A colour of the style sheet as the present theme has it. */
export function colour(name: string): string {
	const probe = document.createElement('i');
	probe.style.color = `var(--${name})`;
	document.body.append(probe);
	const { color } = getComputedStyle(probe);
	probe.remove();
	return color;
}
