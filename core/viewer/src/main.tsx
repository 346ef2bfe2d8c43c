import './style.css';
import { render } from 'preact';
import { App } from './app';
import { Failure, info } from './api';
import { follow } from './live';
import './theme';
import { Fault } from './ui/parts';

const root = document.getElementById('app')!;

async function begin(): Promise<void> {
  try {
    const found = await info();
    root.replaceChildren();
    render(<App info={found} />, root);
    follow(found);
  } catch (error) {
    root.replaceChildren();
    const refused = error instanceof Failure && error.status === 403;
    render(
      <main class="page">
        <h1>brant</h1>
        <Fault error={refused ? new Error('This page needs the link that the viewer printed; it works once.') : (error as Error)} retry={() => void begin()} />
      </main>,
      root,
    );
  }
}

void begin();
