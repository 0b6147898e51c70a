"""A web server in a thread that misbehaves as asked: cuts, ignores Range, answers 503 ..."""

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """One file, and how it is served.

    ``cut``: bytes after which the connection is closed, one entry a request (None: whole); the
    last entry stands for all further requests. ``status``: answers before the file is served.
    """

    content: bytes
    cut: list = field(default_factory=lambda: [None])
    status: list = field(default_factory=list)
    headers: dict = field(default_factory=dict)
    ranges: bool = True
    etag: bool = True
    length: bool = True
    chunked: bool = False
    requests: list = field(default_factory=list)

    @property
    def tag(self):
        return '"' + hashlib.sha256(self.content).hexdigest()[:16] + '"'

    @property
    def asked_ranges(self):
        return [headers.get("Range") for headers in self.requests]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *args):
        pass

    def do_GET(self):
        served = self.server.files.get(self.path)
        if served is None:
            self.send_error(404)
            return
        served.requests.append(dict(self.headers))
        if served.status:
            self.send_response(served.status.pop(0))
            for name, value in served.headers.items():
                self.send_header(name, value)
            self.end_headers()
            return
        cut = served.cut.pop(0) if len(served.cut) > 1 else served.cut[0]
        start, content = 0, served.content
        span, if_range = self.headers.get("Range"), self.headers.get("If-Range")
        if span and served.ranges and if_range in (None, served.tag):
            start = int(span.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.end_headers()
                return
            self.send_response(206)
            last = len(content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
        else:
            self.send_response(200)
        body = content[start:]
        if served.length:
            self.send_header("Content-Length", str(len(body)))
        if served.etag:
            self.send_header("ETag", served.tag)
        if served.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = body if cut is None else body[:cut]
        if served.chunked:
            pieces = (sent[k : k + 4096] for k in range(0, len(sent), 4096))
            sent = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
            sent += b"0\r\n\r\n" if cut is None else b""
        self.wfile.write(sent)


class Site:
    """Files by path, and the address that they are served at."""

    def __init__(self, address, files):
        self.address, self.files = address, files

    def serve(self, path, content, **how):
        self.files[path] = Served(content, **how)
        return self.address + path


@contextmanager
def running():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.files = {}
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_port}", server.files)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
