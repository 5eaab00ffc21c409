// Reads the alert rules and evaluates the small part of PromQL that they use: comparisons of a selector with a number or with a multiple of
// another selector, increase(), delta(), and `or`. Whether Prometheus accepts the rules as well is checked by promtool, if installed.
import parse from 'parse-prometheus-text-format';

export interface AlertRule {
	alert: string;
	expr: string;
	/** How long the condition has to hold, in ms. */
	forMs: number;
}

/** One scrape; undefined if there was no response. */
export type Scrape = string | undefined;

interface Sample {
	/** Name and labels, as one string. */
	series: string;
	name: string;
	labels: Readonly<Record<string, string>>;
	value: number;
}

/** The lines that a file of rules may have; a value runs to the end of its line, so a comment or a colon in it would be read otherwise by YAML. */
const lines = {
	head: /^(?:groups:| {2}- name: [\w-]+| {4}rules:)$/,
	comment: /^\s*# .+$/,
	alert: /^ {6}- alert: (?<value>\w+)(?: # .+)?$/,
	field: /^ {8}(?<name>expr|for): (?<value>(?:(?!: | #)[^\n])+)$/,
} as const;

/** The rules of a file. Throws for a line that is not one of {@link lines}, for a rule without an expression, and for one that is there twice. */
export function readRules(yaml: string): AlertRule[] {
	const rules: AlertRule[] = [];
	for (const [index, line] of yaml.trimEnd().split('\n').entries()) {
		const { value: alert } = lines.alert.exec(line)?.groups ?? {};
		const { name, value } = lines.field.exec(line)?.groups ?? {};
		const rule = rules.at(-1);
		if (alert !== undefined) rules.push({ alert, expr: '', forMs: 0 });
		else if (name === 'expr' && value !== undefined && rule?.expr === '') rule.expr = value;
		else if (name === 'for' && value !== undefined && rule?.forMs === 0) rule.forMs = durationMs(value);
		else if (!lines.head.test(line) && !lines.comment.test(line)) throw new Error(`line ${index + 1} is not known: ${line}`);
	}
	for (const { alert, expr } of rules) {
		if (expr === '' || rules.filter((rule) => rule.alert === alert).length > 1) throw new Error(`check the rule ${alert}`);
	}
	return rules;
}

/** The names of the alerts that fire at some time of a series of scrapes, taken at an interval. */
export function firingAlerts(rules: readonly AlertRule[], scrapes: readonly Scrape[], intervalMs: number): string[] {
	const samples = scrapes.map(samplesOf);
	return rules.filter((rule) => fires(rule, samples, intervalMs)).map(({ alert }) => alert);
}

function fires({ expr, forMs }: AlertRule, scrapes: readonly Sample[][], intervalMs: number): boolean {
	const heldFor = new Map<string, number>();
	return scrapes.some((_, at) => {
		const holds = new Set(conditions(expr).flatMap((condition) => matching(condition, { scrapes, at, intervalMs })));
		for (const series of heldFor.keys()) if (!holds.has(series)) heldFor.delete(series);
		for (const series of holds) heldFor.set(series, (heldFor.get(series) ?? -intervalMs) + intervalMs);
		return [...heldFor.values()].some((ms) => ms >= forMs);
	});
}

function conditions(expr: string): string[] {
	return expr.split(/\s+or\s+/);
}

interface Moment {
	scrapes: readonly Sample[][];
	at: number;
	intervalMs: number;
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
	'==': (a, b) => a === b,
	'>': (a, b) => a > b,
	'<': (a, b) => a < b,
};

/** The series for which a condition holds. */
function matching(condition: string, moment: Moment): string[] {
	const parts = /^(?:(increase|delta)\()?([a-z_]+(?:\{[^}]*\})?)(?:\[(\w+)\]\))? (==|>|<) ([\d.]+)(?: \* ([a-z_]+))?$/.exec(
		condition.trim(),
	);
	if (!parts) throw new Error(`this evaluator does not know the expression ${condition}`);
	const [, change, selector = '', range = '0s', sign = '', number = '', factorName] = parts;
	const { scrapes, at, intervalMs } = moment;
	const now = select(scrapes[at] ?? [], selector);
	const factor = factorName === undefined ? 1 : select(scrapes[at] ?? [], factorName)[0]?.value;
	const holds = comparisons[sign];
	if (factor === undefined || !holds) return [];
	const limit = Number(number) * factor;
	const window = scrapes.slice(Math.max(0, at - Math.floor(durationMs(range) / intervalMs)), at + 1);
	return now
		.map((sample) => ({
			...sample,
			value: change ? changes[change as keyof typeof changes](valuesOf(window, sample.series)) : sample.value,
		}))
		.filter(({ value }) => holds(value, limit))
		.map(({ series }) => series);
}

const changes = {
	/** As Prometheus counts: a counter that has decreased was reset to 0. */
	increase: (values: readonly number[]) =>
		values.slice(1).reduce((sum, value, index) => {
			const before = values[index] ?? 0;
			return sum + (value >= before ? value - before : value);
		}, 0),
	/** Of a gauge. */
	delta: (values: readonly number[]) => (values.at(-1) ?? 0) - (values[0] ?? 0),
};

function valuesOf(window: readonly Sample[][], series: string): number[] {
	return window.flatMap((samples) => samples.filter((sample) => sample.series === series).map(({ value }) => value));
}

function select(samples: readonly Sample[], selector: string): Sample[] {
	const [, name = '', labels = ''] = /^([a-z_]+)(?:\{(.*)\})?$/.exec(selector) ?? [];
	const matchers = [...labels.matchAll(/(\w+)(=~|!=|=)"([^"]*)"/g)].map(([, label = '', sign = '', value = '']) => {
		const pattern = new RegExp(`^(?:${value})$`);
		return (sample: Sample) => {
			const own = sample.labels[label] ?? '';
			return sign === '=' ? own === value : sign === '!=' ? own !== value : pattern.test(own);
		};
	});
	return samples.filter((sample) => sample.name === name && matchers.every((matches) => matches(sample)));
}

/** With `up`, which Prometheus sets itself. */
function samplesOf(text: Scrape): Sample[] {
	const up: Sample = { series: 'up', name: 'up', labels: { job: 'shardctl' }, value: text === undefined ? 0 : 1 };
	const families = text === undefined ? [] : parse(text);
	return [
		up,
		...families.flatMap(({ name, metrics }) =>
			metrics.map(({ value, labels = {} }) => ({
				series: `${name}${JSON.stringify(labels)}`,
				name,
				labels,
				value: Number(value),
			})),
		),
	];
}

function durationMs(text: string): number {
	const [, number, unit] = /^(\d+)([smh])$/.exec(text) ?? [];
	if (number === undefined) throw new Error(`${text} is no duration`);
	return Number(number) * { s: 1000, m: 60_000, h: 3_600_000 }[unit as 's' | 'm' | 'h'];
}
