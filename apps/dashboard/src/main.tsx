// The entry point of the page.
import { render } from 'preact';
import { App } from './app.tsx';
import { start } from './live.ts';
import { applyTheme } from './theme.ts';

applyTheme();
render(<App />, document.getElementById('app') as HTMLElement);
void start();
