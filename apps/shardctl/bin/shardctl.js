#!/usr/bin/env node
// Starts the built command line; everything else is in dist/. CommonJS, as package.json beside it says: node has it running sooner.
// Node 22 and later keep what they compiled for the next time.
'use strict';

require('node:module').enableCompileCache?.();
require('../dist/cli.cjs');
