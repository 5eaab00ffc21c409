import { expect, it } from 'vitest';
import { mergeKeys, upsert, without, wouldChange } from './merge.js';
import type { RawObject } from './raw.js';

it('assigns every key except the excluded ones', () => {
	const target: RawObject = { a: 1, list: [1], kept: true };
	mergeKeys(target, { a: 2, list: [2], not: 3 }, new Set(['not']));
	expect(target).toEqual({ a: 2, list: [2], kept: true });
});

it('predicts whether a merge would change anything', () => {
	expect(wouldChange({ a: { b: 1 } }, { a: { b: 1 } })).toBe(false);
	expect(wouldChange({ a: { b: 1 } }, { a: { b: 2 } })).toBe(true);
	expect(wouldChange({}, { a: null })).toBe(true);
});

it('replaces the value of a key, and never changes it in place', () => {
	const nested = { b: 1 };
	const target: RawObject = { a: nested };
	mergeKeys(target, { a: { c: 2 } });
	expect(target).toEqual({ a: { c: 2 } });
	expect(nested).toEqual({ b: 1 });
});

it('stores a copy of what it adds to a map', () => {
	const items = new Map<string, RawObject>();
	const source = { id: '1', name: 'a' };
	upsert(items, '1', source);
	upsert(items, '1', { name: 'b' });
	expect(items.get('1')).toEqual({ id: '1', name: 'b' });
	expect(source.name).toBe('a');
});

it('copies an event without the keys of its envelope', () => {
	const source = { a: 1, guild_id: '1' };
	expect(without(source, 'guild_id', 'absent')).toEqual({ a: 1 });
	expect(source).toEqual({ a: 1, guild_id: '1' });
});
