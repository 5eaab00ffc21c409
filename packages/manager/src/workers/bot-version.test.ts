import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { BotVersion } from './bot-version.js';

/** A folder with two releases, and a link to one of them. */
function releases() {
	const root = tempDir('shardctl-releases-');
	for (const name of ['one', 'two']) {
		mkdirSync(join(root, name));
		writeFileSync(join(root, name, 'bot.js'), '');
	}
	const link = join(root, 'current');
	const lead = (name: string) => {
		rmSync(link, { force: true });
		symlinkSync(join(root, name), link);
	};
	lead('one');
	const given = { file: join(link, 'bot.js'), cwd: link };
	return { lead, given, root, of: (name: string) => ({ file: join(root, name, 'bot.js'), cwd: join(root, name) }) };
}

it('starts the paths as given as long as they resolve to the same files', () => {
	const { given } = releases();
	const version = new BotVersion(given);
	expect(version.paths()).toEqual(given);
	expect(version.paths()).toEqual(given);
	expect(version.canRevert).toBe(false);
});

it('keeps its version when the link changes, until a user requests the current one', () => {
	const { lead, given, of } = releases();
	const version = new BotVersion(given);
	version.paths();
	lead('two');
	expect(version.paths()).toEqual(of('one'));
	version.renew();
	expect(version.paths()).toEqual(given);
	lead('one');
	expect(version.paths()).toEqual(of('two'));
});

it('returns to the previous version', () => {
	const { lead, given, of } = releases();
	const version = new BotVersion(given);
	version.paths();
	lead('two');
	version.renew();
	version.paths();
	expect(version.canRevert).toBe(true);
	version.revert();
	expect(version.paths()).toEqual(of('one'));
	expect(version.canRevert).toBe(false);
});

it('of a process beside another returns to that of the other', () => {
	const { lead, given, of } = releases();
	const old = new BotVersion(given);
	old.paths();
	lead('two');
	const version = new BotVersion(given, old);
	expect(version.paths()).toEqual(given);
	version.revert();
	expect(version.paths()).toEqual(of('one'));
	expect(old.paths()).toEqual(of('one'));
});

it('has no previous version when files were overwritten in place', () => {
	const { given } = releases();
	const version = new BotVersion(given);
	version.paths();
	version.renew();
	version.paths();
	expect(version.canRevert).toBe(false);
	version.revert();
	expect(version.paths()).toEqual(given);
});

it('uses the current files of the paths when its own are gone', () => {
	const { lead, given, root } = releases();
	const version = new BotVersion(given);
	version.paths();
	lead('two');
	rmSync(join(root, 'one'), { recursive: true });
	expect(version.paths()).toEqual(given);
});
