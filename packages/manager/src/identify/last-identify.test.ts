import { readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeClock, tempDir } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LastIdentify } from './last-identify.js';

const token = 'MTIz.abc.secret';
let folder: string;

beforeEach(() => {
	folder = tempDir();
	vi.stubEnv('SHARDCTL_STATE_DIR', folder);
});
afterEach(() => void vi.unstubAllEnvs());

it('the next manager of the bot on this machine knows when the last IDENTIFY was sent', async () => {
	const clock = fakeClock();
	const before = new LastIdentify({ token, clock });
	expect(before.ageMs()).toBe(Number.POSITIVE_INFINITY);
	before.note();
	await clock.advance(3000);
	expect(new LastIdentify({ token, clock }).ageMs()).toBeCloseTo(3000, -1);
	expect(new LastIdentify({ token: 'NDU2.abc.other', clock }).ageMs()).toBe(Number.POSITIVE_INFINITY);
});

it('its file is of this user only, and names no secret', () => {
	new LastIdentify({ token, clock: fakeClock() }).note();
	const [name = ''] = readdirSync(folder);
	expect(name).not.toContain('secret');
	expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
});

it('a time in the future counts as now, and a link in its place is not followed', async () => {
	const clock = fakeClock();
	const last = new LastIdentify({ token, clock });
	last.note();
	const [name = ''] = readdirSync(folder);
	const earlier = fakeClock(clock.now() - 60_000);
	expect(new LastIdentify({ token, clock: earlier }).ageMs()).toBe(0);

	const other = join(folder, 'other');
	writeFileSync(other, '');
	const untouched = statSync(other).mtimeMs;
	vi.stubEnv('SHARDCTL_STATE_DIR', tempDir());
	symlinkSync(other, join(process.env.SHARDCTL_STATE_DIR as string, name));
	last.note();
	expect(statSync(other).mtimeMs).toBe(untouched);
});
