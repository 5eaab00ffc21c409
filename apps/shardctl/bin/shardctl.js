#!/usr/bin/env node
// Starts the built command line; everything else is in dist/. Node 22 and later keep what they compiled for the next time.
import module from 'node:module';

module.enableCompileCache?.();
await import('../dist/cli.js');
