// The last step of the build: puts the page of the dashboard beside the server that serves it.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const from = join(import.meta.dirname, '..', '..', 'apps', 'dashboard', 'dist');
const to = join(import.meta.dirname, 'dist', 'page');
rmSync(to, { recursive: true, force: true });
cpSync(from, to, { recursive: true });
