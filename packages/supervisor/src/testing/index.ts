// For the tests of packages that own supervised children.
export { type ScriptedEnd, scriptedHost } from './scripted-child.js';
