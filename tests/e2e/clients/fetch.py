# SPDX-License-Identifier: Apache-2.0
# fetch.py urllib|requests URL: a GET through the proxy variables; the body on stdout. Exit status 77 without requests.
import os
import sys

headers = {"Authorization": "Bearer " + os.environ["TOKEN"], "User-Agent": "e2e"}
if sys.argv[1] == "urllib":
    import urllib.request
    body = urllib.request.urlopen(urllib.request.Request(sys.argv[2], headers=headers)).read()
else:
    try:
        import requests
    except ImportError:
        sys.exit(77)
    answer = requests.get(sys.argv[2], headers=headers)
    answer.raise_for_status()
    body = answer.content
sys.stdout.buffer.write(body)
