"""Becomes a command at the terminal that standard input is: run by itself, as the first process of a session.

A test process with gRPC's threads in it must not fork; so this is started plainly, and takes the terminal afterwards.
"""

import fcntl
import os
import sys
import termios

if __name__ == "__main__":
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - a terminal, no shell
