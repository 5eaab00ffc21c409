// For the tests of packages that own supervised children.
export { ScriptedChild, type ScriptedEnd, scriptedHost } from './scripted-child.js';
