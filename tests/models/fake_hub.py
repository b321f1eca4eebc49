"""A Hugging Face Hub on this machine: repositories from dictionaries, faults on demand."""

import contextlib
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlparse


@dataclass
class FakeHub:
    """What the server has and what it was asked.

    Attributes:
        repositories: (name, commit) -> file name -> bytes; old commits stay.
        commits: name -> the newest commit.
        asked: (method, path, Range header) of every request.
        cut_after: file name -> bytes after which its first download breaks off.
        garbled: file names whose content arrives changed, length and promised hash kept.
        gated: repositories that nobody may read.
    """

    repositories: dict = field(default_factory=dict)
    commits: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    cut_after: dict = field(default_factory=dict)
    garbled: set = field(default_factory=set)
    gated: set = field(default_factory=set)
    url: str = ""

    def put(self, name, files):
        text = json.dumps({k: hashlib.sha256(v).hexdigest() for k, v in sorted(files.items())})
        commit = self.commits[name] = hashlib.sha1(text.encode()).hexdigest()
        self.repositories[name, commit] = dict(files)
        return commit

    def at(self, name, revision):
        """Return (commit, files) of a revision; None for one that never was."""
        commit = self.commits[name] if revision == "main" else revision
        files = self.repositories.get((name, commit))
        return None if files is None else (commit, files)

    def downloads(self):
        return [(path, span) for method, path, span in self.asked if method == "GET" and path]


@contextlib.contextmanager
def running(hub):
    """Serve `hub` on a free port; yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            self._answer(body=False)

        def do_GET(self):
            self._answer(body=True)

        def log_message(self, *arguments):
            pass

        def _answer(self, *, body):
            path = unquote(urlparse(self.path).path).strip("/")
            hub.asked.append((self.command, path, self.headers.get("Range")))
            parts = path.split("/")
            if parts[:2] == ["api", "models"]:
                self._api("/".join(parts[2:4]), parts[4:])
            elif len(parts) > 4 and parts[2] == "resolve":
                self._file("/".join(parts[:2]), parts[3], "/".join(parts[4:]), body)
            else:
                self._error(404, "EntryNotFound")

        def _api(self, repo, rest):
            if not self._may_read(repo):
                return
            found = hub.at(repo, rest[1] if rest else "main")
            if found is None:
                self._error(404, "RevisionNotFound")
            elif rest[:1] == ["tree"]:
                self._json([_entry(name, data) for name, data in sorted(found[1].items())])
            else:
                self._json({"id": repo, "modelId": repo, "sha": found[0], "siblings": []})

        def _file(self, repo, revision, name, body):
            if not self._may_read(repo):
                return
            found = hub.at(repo, revision)
            data = None if found is None else found[1].get(name)
            if data is None:
                self._error(404, "RevisionNotFound" if found is None else "EntryNotFound")
                return
            start = 0
            span = self.headers.get("Range")
            if span:
                start = int(span.removeprefix("bytes=").partition("-")[0])
            sent = bytes(len(data)) if name in hub.garbled else data
            self.send_response(206 if span else 200)
            self.send_header("X-Repo-Commit", found[0])
            self.send_header("ETag", f'"{_etag(name, data)}"')
            self.send_header("Content-Length", str(len(data) - start))
            self.send_header("Accept-Ranges", "bytes")
            if span:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            if not body:
                return
            stop = hub.cut_after.pop(name, None)
            self.wfile.write(sent[start : stop or len(sent)])
            if stop is not None:
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()

        def _may_read(self, repo):
            if repo in hub.gated:
                self._error(403, "GatedRepo")
            elif repo not in hub.commits:
                self._error(404, "RepoNotFound")
            else:
                return True
            return False

        def _json(self, value):
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _error(self, status, code):
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


def _is_large(name):
    return name.endswith((".safetensors", ".bin", ".ckpt"))


def _etag(name, data):
    if _is_large(name):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()


def _entry(name, data):
    entry = {"type": "file", "path": name, "size": len(data), "oid": _etag(name, data)}
    if _is_large(name):
        sha256 = hashlib.sha256(data).hexdigest()
        entry["lfs"] = {"oid": sha256, "size": len(data), "pointerSize": 134}
    return entry
