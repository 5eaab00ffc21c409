// The entry point for a program that serves a fleet, `@shardctl/control/server`; clients take the light door `@shardctl/control`.
export { endpoint, type Operation } from '../api/endpoints.js';
export { LogFile } from '../history/log-file.js';
export { routeTable } from '../routes/routes.js';
export { type ControlOptions, controlSchema } from './control-options.js';
export { type Control, startControl } from './server.js';
