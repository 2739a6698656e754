#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes rest-paths.txt. Usage: derive_rest_paths.py OPENAPI_TYPES_DIR PAGINATE_REST_DIR (the unpacked npm packages)."""
import pathlib
import re
import sys

types = (pathlib.Path(sys.argv[1]) / "types.d.ts").read_text()
paging = (pathlib.Path(sys.argv[2]) / "dist-src/generated/paginating-endpoints.js").read_text()
paged = set(re.findall(r'"GET ([^"]+)"', paging))

start = types.index("export interface operations")
bodies = {m.group(1): m.group(2) for m in re.finditer(r'\n  "([^"]+)": \{\n(.*?)\n  \};', types[start:], re.S)}
schemas = {}
entry = r'\n    "?([a-z_A-Z0-9-]+)"?:(.*?);\n(?=    /\*\*|    "?[a-z_A-Z0-9-]+"?:|  \};)'
for m in re.finditer(entry, types[types.find("\n  schemas: {"):start], re.S):
    schemas.setdefault(m.group(1), m.group(2).strip())


def is_array(operation):
    """True, False, or None when the 200 answer has no JSON body."""
    ok = re.search(r"\n      200: (.*?)(?=\n      \d+:|\n    \};|\Z)", bodies.get(operation, ""), re.S)
    content = ok and re.search(r'"application/(?:[a-z.+]*)json[^"]*":\s*(.*?);\n\s*\}', ok.group(1), re.S)
    if not content:
        return None
    value = content.group(1).strip()
    named = re.fullmatch(r'components\["schemas"\]\["([^"]+)"\]', value)
    if named:
        return schemas.get(named.group(1), "").endswith("[]")
    return not value.startswith("{") and value.endswith("[]")


paths = types[types.index("export interface paths"):]
path = None
for line in paths[:paths.index("\n}\n")].split("\n"):
    if m := re.match(r'  "([^"]+)": \{', line):
        path = m.group(1)
    if m := re.match(r'    (get|post|put|patch|delete): operations\["([^"]+)"\]', line):
        shape = "-"
        if m.group(1) == "get":
            array, pages = is_array(m.group(2)), path in paged
            shape = "wrapped" if pages and not array else "list" if pages else {True: "array", False: "item", None: "none"}[array]
        print(m.group(1).upper(), path, shape)
