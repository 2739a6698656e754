#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a network of its own that has loopback only: alone.py COMMAND ARGUMENT...

Whoever goes to the Internet from there does not get out, so it can be seen who does."""
import fcntl
import os
import socket
import struct
import sys

SIOCSIFFLAGS, IFF_UP = 0x8914, 1

if os.environ.get("GHMESH_ALONE") != "1":
    os.environ["GHMESH_ALONE"] = "1"
    options = ["-n"] if os.getuid() == 0 else ["-r", "-n"]
    os.execvp("unshare", ["unshare", *options, sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
os.execvp(sys.argv[1], sys.argv[1:])
