// Where our sitecustomize is.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** The folder of our sitecustomize, which Python loads at its start. */
export const pythonFolder = dirname(createRequire(import.meta.url).resolve('@shardctl/manager/python'));
