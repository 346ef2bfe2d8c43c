#!/usr/bin/env node
/* The command `brant` of the package: the native program for this platform, with this process' arguments, input and output. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { isatty } from 'node:tty';

const UNSUPPORTED = 27; // of brant/base.h: the command's exit codes are the core's statuses
const platform = `${process.platform}-${process.arch}`;

// From before there is a child: none is left behind. A terminal's Ctrl-C reaches both processes by itself.
const terminal = [0, 1, 2].some(isatty);
for (const name of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) {
  process.on(name, () => {
    if (!terminal || (name !== 'SIGINT' && name !== 'SIGQUIT')) child.kill(name);
  });
}

const child = spawn(join(__dirname, '..', 'prebuilds', platform, 'bin', 'brant'), process.argv.slice(2), { stdio: 'inherit' });
child.on('error', (error: NodeJS.ErrnoException) => {
  console.error(error.code === 'ENOENT' ? `brant: this package has no command for ${platform}` : `brant: ${error.message}`);
  process.exitCode = error.code === 'ENOENT' ? UNSUPPORTED : 1;
});
child.on('exit', (code, signal) => {
  if (signal === null) {
    process.exitCode = code ?? 1;
    return;
  }
  // As the program ended; where this process cannot, as a shell says it.
  process.removeAllListeners(signal);
  process.exitCode = 128 + constants.signals[signal];
  process.kill(process.pid, signal);
});
