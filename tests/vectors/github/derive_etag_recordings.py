#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds recorded exchanges whose tag is SHA-256(Accept ":" body). Usage: derive_etag_recordings.py PYGITHUB_CHECKOUT

Reads tests/ReplayData (groups of ten lines and an empty one) and prints, for each GET answered 200 with a tag of 64
hexadecimal digits that the formula gives without Authorization: file, path, date, Accept, tag, length of the body.
"""
import ast
import hashlib
import pathlib
import re
import sys

seen = set()
for file in sorted((pathlib.Path(sys.argv[1]) / "tests/ReplayData").glob("*.txt")):
    lines = file.read_text(encoding="utf-8").split("\n")
    at = 0
    while at + 9 < len(lines):
        if lines[at] not in ("http", "https"):
            at += 1
            continue
        _, method, _, _, path, sent, _, status, received, body = lines[at:at + 10]
        at += 10
        if method != "GET" or status != "200":
            continue
        try:
            answer = {name.lower(): value for name, value in ast.literal_eval(received)}
            request = {name.lower(): value for name, value in ast.literal_eval(sent).items()}
        except (ValueError, SyntaxError):
            continue
        tag = re.fullmatch(r'(?:W/)?"([0-9a-f]{64})"', answer.get("etag", ""))
        accept = request.get("accept", "*/*")
        if not tag or hashlib.sha256(f"{accept}:{body}".encode()).hexdigest() != tag.group(1):
            continue
        if tag.group(1) not in seen:
            seen.add(tag.group(1))
            print(file.name, path, answer.get("date", "-"), accept, tag.group(1), len(body.encode()), sep="\t")
