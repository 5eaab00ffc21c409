import { expect, it } from 'vitest';
import { opener } from './open-in-browser.js';

it.each([
	['darwin', {}, 'open'],
	['win32', {}, 'rundll32'],
	['linux', { DISPLAY: ':0' }, 'xdg-open'],
	['linux', { WAYLAND_DISPLAY: 'wayland-0' }, 'xdg-open'],
	['linux', {}, undefined],
	['darwin', { SSH_CONNECTION: '10.0.0.1 5 10.0.0.2 22' }, undefined],
	['linux', { DISPLAY: 'localhost:10.0', SSH_TTY: '/dev/pts/1' }, undefined],
] as const)('on %s with %o an address is opened by %s', (platform, env, command) => {
	expect(opener(platform, env)?.command).toBe(command);
});
