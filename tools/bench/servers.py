# SPDX-License-Identifier: Apache-2.0
"""The servers that tools/bench/hits compares, each with one worker or thread on core 0, and the origin behind them."""

import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time

SERVER_CORE = "0"

# What GitHub sends with a JSON body, with a freshness that outlives the run and leave for shared caches to keep it.
ORIGIN_FIELDS = {
    "Cache-Control": "public, max-age=86400, s-maxage=86400",
    "X-GitHub-Media-Type": "github.v3; format=json",
    "x-github-api-version-selected": "2022-11-28",
    "X-RateLimit-Limit": "5000",
    "X-RateLimit-Remaining": "4987",
    "X-RateLimit-Reset": "4102444800",
    "X-RateLimit-Used": "13",
    "X-RateLimit-Resource": "core",
    "Access-Control-Expose-Headers": "ETag, Link, Location, Retry-After, X-GitHub-OTP, X-RateLimit-Limit",
    "Access-Control-Allow-Origin": "*",
    "Strict-Transport-Security": "max-age=31536000; includeSubdomains; preload",
    "X-Frame-Options": "deny",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "0",
    "Referrer-Policy": "origin-when-cross-origin, strict-origin-when-cross-origin",
    "Content-Security-Policy": "default-src 'none'",
    "X-GitHub-Request-Id": "C5A1:2F3B:1A2B3C:4D5E6F:65F0A1B2",
}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def tree_of(pid):
    """pid and its children, of all generations."""
    out, at = [pid], 0
    while at < len(out):
        for task in pathlib.Path(f"/proc/{out[at]}/task").glob("*/children"):
            try:
                out.extend(int(child) for child in task.read_text().split())
            except OSError:
                pass
        at += 1
    return out


def cpu_seconds_of(pid):
    """On the processor so far, all threads of a process; in nanoseconds where the kernel counts them."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(task.read_text().split()[0])
        except OSError:
            pass
    return total / 1e9


def resident_kib(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS")), 0)


def json_body(size, seed):
    """A JSON object of exactly size bytes that does not compress to nothing."""
    rnd = random.Random(seed)
    head, tail = '{"name":"bench","content":"', '"}'
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return head + "".join(rnd.choices(letters, k=size - len(head) - len(tail))) + tail


class Server:
    name = ""
    core = SERVER_CORE
    request_fields = ()  # beside those that all servers get
    bar_only = False     # measured in the cell of the bar only

    def __init__(self, directory, origin=None, options=None):
        self.directory = directory
        self.origin = origin
        self.options = options
        self.port = free_port()
        self.process = None

    def command(self):
        raise NotImplementedError

    @classmethod
    def available(cls, options):
        return True

    def start(self):
        self.directory.mkdir(parents=True)
        self.directory.chmod(0o777)  # workers may run as another user
        log = open(self.directory / "stderr", "wb")
        self.process = subprocess.Popen(["taskset", "-c", self.core, *self.command()], stdout=log, stderr=log,
                                        stdin=subprocess.DEVNULL, cwd=self.directory)
        until = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{self.name} did not start:\n{(self.directory / 'stderr').read_text()}") from None
                time.sleep(0.05)

    def stop(self):
        if self.process is None:
            return
        children = tree_of(self.process.pid)[1:]
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            for child in children:
                try:
                    os.kill(child, signal.SIGKILL)
                except OSError:
                    pass

    def cpu_seconds(self):
        return sum(map(cpu_seconds_of, tree_of(self.process.pid)))

    def resident_mib(self):
        return sum(map(resident_kib, tree_of(self.process.pid))) / 1024

    def check(self, size, request):
        """Three times the same request: the last answer must be whole and come from the cache."""
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", self.port), 5) as one:
                one.sendall(request.replace(b"Connection: keep-alive", b"Connection: close"))
                answer = b""
                while piece := one.recv(65536):
                    answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or body != self.origin.body(size, 0).encode():
            raise RuntimeError(f"{self.name} answers wrongly:\n{head.decode(errors='replace')}\n({len(body)} bytes)")
        return head.decode()


class Origin(Server):
    name = "origin"
    core = "1"

    def __init__(self, directory, sizes, paths):
        super().__init__(directory)
        self.sizes = sizes
        self.paths = paths

    def body(self, size, path):
        return json_body(dict(self.sizes)[size], f"{size}-{path}")

    def command(self):
        files = self.directory / "root/repos/octo-org/bench/contents"
        files.mkdir(parents=True)
        for size, _ in self.sizes:
            for path in range(self.paths):
                (files / f"{size}-{path}").write_text(self.body(size, path))
        fields = "".join(f"add_header {name} {json.dumps(value)};\n" for name, value in ORIGIN_FIELDS.items())
        (self.directory / "nginx.conf").write_text(f"""
daemon off; pid {self.directory}/pid; error_log stderr warn; worker_processes 1;
events {{}}
http {{
  access_log {self.directory}/asked;
  default_type "application/json; charset=utf-8";
  keepalive_requests 1000000;
  {temporary_paths(self.directory)}
  server {{
    listen 127.0.0.1:{self.port};
    {fields}
    location /api/v3/ {{ alias {self.directory}/root/; }}
    location / {{ root {self.directory}/root; }}
  }}
}}
""")
        return ["nginx", "-p", str(self.directory), "-c", str(self.directory / "nginx.conf")]

    def asked(self):
        try:
            return (self.directory / "asked").read_bytes().count(b"\n")
        except OSError:
            return 0


def temporary_paths(directory):
    return " ".join(f"{kind}_temp_path {directory}/{kind};"
                    for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


class Ghmesh(Server):
    mode = ()

    @classmethod
    def available(cls, options):
        return os.access(options.binary, os.X_OK)

    def command(self):
        return [os.path.abspath(self.options.binary), "serve", "--listen", f"127.0.0.1:{self.port}", "--admin", "off",
                "--upstream", f"http://127.0.0.1:{self.origin.port}", "--cache-dir", "none", "--p2p", "off",
                "--log-level", "warn", *self.mode]


class GhmeshGithub(Ghmesh):
    name = "ghmesh-github"


class GhmeshHttp(Ghmesh):
    name = "ghmesh-http"
    mode = ("--freshness", "http")


class GhmeshGzip(Ghmesh):
    """What real clients get, who accept gzip: the peers here have no packed answers, so nothing to compare it with."""

    name = "ghmesh-gzip"
    request_fields = (("Accept-Encoding", "gzip, deflate"),)
    bar_only = True


class Nginx(Server):
    name = "nginx"

    def command(self):
        (self.directory / "nginx.conf").write_text(f"""
daemon off; pid {self.directory}/pid; error_log stderr warn; worker_processes 1; worker_cpu_affinity 01;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=10000 inactive=1h;
  {temporary_paths(self.directory)}
  proxy_cache_path {self.directory}/cache levels=1:2 keys_zone=one:16m max_size=256m inactive=1d use_temp_path=off;
  server {{
    listen 127.0.0.1:{self.port};
    location / {{
      proxy_pass http://127.0.0.1:{self.origin.port};
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache one; proxy_cache_key $request_uri$http_authorization$http_accept;
      add_header Cache-Status $upstream_cache_status;
    }}
  }}
}}
""")
        return ["nginx", "-p", str(self.directory), "-c", str(self.directory / "nginx.conf")]


class Varnish(Server):
    name = "varnish"

    @classmethod
    def available(cls, options):
        return shutil.which("varnishd") is not None

    def command(self):
        (self.directory / "vcl").write_text(f"""vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{self.origin.port}"; }}
sub vcl_recv {{ return (hash); }}
sub vcl_hash {{ hash_data(req.url); hash_data(req.http.Authorization); hash_data(req.http.Accept); return (lookup); }}
""")
        return ["varnishd", "-F", "-a", f"127.0.0.1:{self.port}", "-f", str(self.directory / "vcl"), "-s", "malloc,256m",
                "-n", str(self.directory / "work"), "-j", "none"]


class Haproxy(Server):
    name = "haproxy"

    @classmethod
    def available(cls, options):
        return shutil.which("haproxy") is not None

    # Its cache leaves requests with Authorization alone, so the field travels under another name; there is no partition.
    def command(self):
        (self.directory / "cfg").write_text(f"""
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
cache one
  total-max-size 256
  max-object-size 100000
  max-age 86400
frontend in
  bind 127.0.0.1:{self.port}
  http-request set-header x-token %[req.hdr(authorization)]
  http-request del-header authorization
  http-request cache-use one
  http-response cache-store one
  default_backend out
backend out
  server origin 127.0.0.1:{self.origin.port}
""")
        return ["haproxy", "-f", str(self.directory / "cfg")]


# In the order of their turns.
SERVERS = [GhmeshGithub, Nginx, Haproxy, GhmeshHttp, Varnish, GhmeshGzip]
