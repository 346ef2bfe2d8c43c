#!/usr/bin/env python3
"""Runs a command on a terminal of its own, as a person would: terminal.py [EXPECT SEND]... -- COMMAND...

Waits until the terminal shows EXPECT, then types SEND; a SEND such as @INT is that signal to the command instead, and @INT,CONT two of them.
Prints all that the terminal showed, then "echo on" or "echo off" as the terminal was left; ends with the command's status, 128 + number for a signal.
"""
import fcntl
import os
import pty
import select
import signal
import sys
import termios
import time


def main() -> int:
    split = sys.argv.index("--")
    steps, command = sys.argv[1:split], sys.argv[split + 1 :]
    keeper, child_end = pty.openpty()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(keeper)
        for descriptor in (0, 1, 2):
            os.dup2(child_end, descriptor)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.execvp(command[0], command)
    shown, seen, status = b"", 0, None
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        ready = select.select([keeper], [], [], 0.05)[0]
        if ready:
            shown += os.read(keeper, 65536)
        if steps and (at := shown.find(steps[0].encode(), seen)) >= 0:
            seen = at + len(steps[0].encode())
            send = steps[1]
            steps = steps[2:]
            if send.startswith("@"):
                for name in send[1:].split(","):
                    os.kill(child, signal.Signals[f"SIG{name}"])
                    time.sleep(0.2)
            else:
                os.write(keeper, send.encode("utf-8", "surrogateescape"))
        elif status is not None and not ready:  # a read may give a part of what the terminal has
            break
        if status is None:
            ended, wait = os.waitpid(child, os.WNOHANG)
            if ended:
                status = os.waitstatus_to_exitcode(wait)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        print("hung", file=sys.stderr)
    sys.stdout.buffer.write(shown)
    echo = termios.tcgetattr(child_end)[3] & termios.ECHO
    print("echo on" if echo else "echo off")
    for step in steps[::2]:
        print(f"never shown: {step}")
    if status is None:
        return 124
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
