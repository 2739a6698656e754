#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a pseudo terminal and says what is on its screen.

  terminal.py COLUMNS ROWS COMMAND ARGUMENT...

Commands come in on standard input, one a line, and each is answered by one line of JSON:
  wait TEXT      once TEXT is on the screen (20 s at most)
  match REGEX    the same, by an expression
  rows N         once exactly N rows of the screen are in use, as many as a full view has (20 s at most)
  stopped        once the command has been stopped and shows the terminal as it found it
  type TEXT      keys
  resize C R     another size, with SIGWINCH
  signal NAME    to the command
  screen         the screen as it is
  end            once the command has ended: its exit status, and whether the terminal is as it was before

The screen is what a VT100 makes of the few sequences that are used; any other is an error.
"""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

columns, rows = int(sys.argv[1]), int(sys.argv[2])
SEQUENCE = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])")


class Screen:
    def __init__(self):
        self.lines, self.row, self.column = {}, 0, 0
        self.drawn = False  # the last view is whole: it ends by clearing what is below
        self.alternate, self.cursor, self.colours, self.rest = False, True, False, b""

    def feed(self, data):
        data = self.rest + data
        self.rest = b""
        while data:
            if data[0:1] == b"\x1b":
                match = SEQUENCE.match(data)
                if not match:
                    if len(data) < 16:
                        self.rest = data
                        return
                    raise ValueError(f"unknown sequence {data[:16]!r}")
                self.control(*(part.decode() for part in match.groups()))
                data = data[match.end():]
                continue
            char, data = data[0], data[1:]
            if char == 13:
                self.column = 0
            elif char == 10:
                self.row += 1
            elif 32 <= char < 127:
                line = self.lines.get(self.row, "").ljust(self.column)
                self.lines[self.row] = line[:self.column] + chr(char) + line[self.column + 1:]
                self.column += 1
            else:
                raise ValueError(f"octet {char}")

    def control(self, private, numbers, final):
        if private:
            if numbers == "1049":
                self.alternate = final == "h"
                self.lines = {}
            elif numbers == "25":
                self.cursor = final == "h"
            else:
                raise ValueError(f"mode {numbers}")
        elif final == "H" and not numbers:
            self.row = self.column = 0
            self.drawn = False
        elif final == "J":
            self.drawn = True
            self.lines = {} if numbers == "2" else {r: l if r < self.row else l[:self.column] for r, l in self.lines.items() if r <= self.row}
        elif final == "K":
            self.lines[self.row] = self.lines.get(self.row, "")[:self.column]
        elif final == "m":
            self.colours = self.colours or numbers not in ("", "0")
        else:
            raise ValueError(f"CSI {numbers}{final}")

    def text(self):
        return [self.lines.get(row, "").rstrip() for row in range(max(self.lines, default=-1) + 1)]


def size(fd, c, r):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", r, c, 0, 0))


master, slave = pty.openpty()
size(slave, columns, rows)
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    os.closerange(3, 64)
    os.execvp(sys.argv[3], sys.argv[3:])
screen = Screen()
status, is_stopped = None, False


def drain(seconds):
    """Takes what comes in within so many seconds; False: nothing did."""
    ready, _, _ = select.select([master], [], [], seconds)
    if ready:
        screen.feed(os.read(master, 65536))
    return bool(ready)


def look():
    """Learns, as a shell does, whether the command has stopped or ended."""
    global status, is_stopped
    if status is not None:
        return
    found, value = os.waitpid(pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
    if not found:
        return
    if os.WIFSTOPPED(value):
        is_stopped = True
    elif os.WIFCONTINUED(value):
        is_stopped = False
    else:
        status = os.waitstatus_to_exitcode(value)


def ended():
    look()
    return status is not None


def stopped():
    look()
    return is_stopped


def until(condition):
    limit = time.monotonic() + 20
    while not condition():
        if time.monotonic() > limit:
            return False
        drain(0.05)
    return True


def answer(line):
    word, _, rest = line.partition(" ")
    ok = True
    if word == "wait":
        ok = until(lambda: any(rest in each for each in screen.text()))
    elif word == "match":
        ok = until(lambda: any(re.search(rest, each) for each in screen.text()))
    elif word == "stopped":
        # It gives the terminal back before it stops: who continues it in between continues nothing.
        ok = until(lambda: stopped() and screen.cursor and not screen.alternate)
    elif word == "rows":
        ok = until(lambda: len(screen.text()) == int(rest) and screen.drawn)
    elif word == "type":
        os.write(master, rest.encode())
    elif word == "resize":
        c, r = map(int, rest.split())
        screen.lines = {}
        size(master, c, r)
    elif word == "signal":
        os.kill(pid, getattr(signal, rest))
    elif word == "end":
        ok = until(ended)
        while drain(0.05):
            pass
    facts = {"ok": ok, "screen": screen.text(), "alternate": screen.alternate, "cursor": screen.cursor, "colours": screen.colours}
    if ok and word == "end":
        # The process took the other end with it; this one shows the settings it left.
        facts |= {"status": status, "restored": termios.tcgetattr(slave) == before and screen.cursor and not screen.alternate}
    return facts


try:
    for line in sys.stdin:
        print(json.dumps(answer(line.rstrip("\n"))), flush=True)
finally:
    if not ended():
        os.kill(pid, signal.SIGKILL)
