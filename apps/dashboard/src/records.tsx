// What was written down: the events of the fleet, and the log of the bots with search and follow. Both are text, never markup.
import { computed, signal } from '@preact/signals';
import type { LogEntry } from '@shardctl/core';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { readStream } from './event-stream.ts';
import { connection, eventKey, events, hello, mayAct, stats } from './fleet.ts';
import { clockTime, fullTime } from './format.ts';
import { request } from './session.ts';

type Tab = 'events' | 'logs';

type LogLine = LogEntry & { id: number };

const tab = signal<Tab>('events');
/** The shard whose log is shown; undefined for all. */
const logShard = signal<number | undefined>(undefined);
const logLines = signal<readonly LogLine[]>([]);
const search = signal('');
const follows = signal(true);
const keptLines = 2000;
const firstLines = 300;
let lastLine = 0;

/** Opens the log of one shard. */
export function showLogsOf(shardId: number): void {
	logShard.value = shardId;
	tab.value = 'logs';
	document.getElementById('records')?.scrollIntoView({ block: 'start' });
}

const matches = (text: string) => text.toLowerCase().includes(search.value.trim().toLowerCase());
const shownEvents = computed(() => events.value.filter(({ text }) => matches(text)));
const shownLines = computed(() => logLines.value.filter(({ line }) => matches(line)));

export function Records() {
	return (
		<section class="card" id="records" aria-label="Events and logs">
			<div class="section-head">
				<div class="choice" role="group" aria-label="What is shown">
					<button type="button" aria-pressed={tab.value === 'events'} onClick={() => (tab.value = 'events')}>
						Events
					</button>
					{mayAct.value && (
						<button type="button" aria-pressed={tab.value === 'logs'} onClick={() => (tab.value = 'logs')}>
							Logs
						</button>
					)}
				</div>
				<div class="search">
					{tab.value === 'logs' && <ShardChoice />}
					<input
						type="search"
						placeholder="Search"
						aria-label={`Search in ${tab.value}`}
						value={search.value}
						onInput={(event) => (search.value = (event.currentTarget as HTMLInputElement).value)}
					/>
					<label class="check">
						<input type="checkbox" checked={follows.value} onChange={() => (follows.value = !follows.value)} />
						Follow
					</label>
				</div>
			</div>
			{tab.value === 'events' || !mayAct.value ? <Events /> : <Logs />}
		</section>
	);
}

function ShardChoice() {
	const ids = stats.value?.manager.shardIds ?? [];
	return (
		<select
			aria-label="Shard whose log is shown"
			value={logShard.value === undefined ? '' : String(logShard.value)}
			onChange={(event) => {
				const { value } = event.currentTarget as HTMLSelectElement;
				logShard.value = value === '' ? undefined : Number(value);
			}}
		>
			<option value="">All shards</option>
			{ids.map((id) => (
				<option key={id} value={String(id)}>
					Shard {id}
				</option>
			))}
		</select>
	);
}

const levelMarks = { info: 'ready', warn: 'trouble', error: 'down' } as const;
const levelWords = { info: '', warn: 'Warning: ', error: 'Error: ' } as const;

function Events() {
	const list = useEnd(shownEvents.value);
	return (
		<ol class="lines" ref={list} tabIndex={0} aria-label="Events">
			{shownEvents.value.map((event) => {
				const { at, level, text, node } = event;
				return (
					<li key={eventKey(event)} class={`is-${level}`}>
						<time dateTime={new Date(at).toISOString()} title={fullTime(at)}>
							{clockTime(at)}
						</time>
						<i class={`shape shape-${levelMarks[level]}`} aria-hidden="true" />
						<span>
							<span class="hidden">{levelWords[level]}</span>
							{node !== undefined && <span class="origin">{node} </span>}
							{text}
						</span>
					</li>
				);
			})}
			{shownEvents.value.length === 0 && <li class="quiet">{search.value === '' ? 'No event yet.' : 'No event matches.'}</li>}
		</ol>
	);
}

function Logs() {
	const list = useEnd(shownLines.value);
	useEffect(() => followLogs(logShard.value), [logShard.value, connection.value === 'live', hello.value?.pid]);
	return (
		<ol class="lines is-log" ref={list} tabIndex={0} aria-label="Log">
			{shownLines.value.map(({ id, at, shardIds, pid, stream, line }) => (
				<li key={id} class={stream === 'stderr' ? 'is-stderr' : ''}>
					<time title={fullTime(at)}>{clockTime(at)}</time>
					<span class="origin" title={`process ${pid ?? 'unknown'}`}>
						{shardIds.length === 1 ? shardIds[0] : `${shardIds[0]}–${shardIds.at(-1)}`}
					</span>
					<span class="line">{line}</span>
				</li>
			))}
			{shownLines.value.length === 0 && <li class="quiet">{search.value === '' ? 'No line yet.' : 'No line matches.'}</li>}
		</ol>
	);
}

/** Keeps the end of a list in view while new entries are followed. */
function useEnd(entries: readonly unknown[]) {
	const list = useRef<HTMLOListElement>(null);
	useLayoutEffect(() => {
		const element = list.current;
		if (element && follows.value) element.scrollTop = element.scrollHeight;
	}, [entries, follows.value]);
	return list;
}

/** Shows the log until the returned function is called. Lines that arrive together are shown together. */
function followLogs(shard: number | undefined): () => void {
	const ended = new AbortController();
	let waiting: LogLine[] = [];
	const flush = () => {
		if (ended.signal.aborted) return;
		logLines.value = [...logLines.value, ...waiting].slice(-keptLines);
		waiting = [];
	};
	const follow = async () => {
		const of = shard === undefined ? '' : `&shard=${shard}`;
		const response = await request(`/v1/logs?follow=true&tail=${firstLines}${of}`, { signal: ended.signal });
		logLines.value = [];
		for await (const { type, data } of readStream(response)) {
			if (type !== 'log') continue;
			const entry = data as LogEntry;
			if (waiting.length === 0) requestAnimationFrame(flush);
			waiting.push({ ...entry, id: ++lastLine });
			if (waiting.length > keptLines) waiting.shift();
		}
	};
	// When the connection is lost it is followed again from the start, as soon as the page is connected again.
	follow().catch(() => {});
	return () => ended.abort();
}
