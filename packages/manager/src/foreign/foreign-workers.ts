// The door to what only workers that are not Node.js need, which is loaded with the first of them.
export { ForeignSource } from './foreign-source.js';
export { foreignSpec } from './foreign-spec.js';
