#!/usr/bin/env node
// Starts the built command line; everything else is in dist/.
import '../dist/cli.js';
