"""Two servers of other people, in memory and on the loopback: an S3-compatible store and an MLflow tracking server.

They answer what is asked of them here in the shapes of the real ones (checked by hand against MLflow 3.17 and moto 5).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class _Server:
    """Answers on a port of its own until the block ends."""

    def __init__(self) -> None:
        outer = self
        self.status = 200
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.asked.append(self.path)
                parts = urlsplit(self.path)
                status, headers, body = outer.answer(
                    unquote(parts.path), {k: v[0] for k, v in parse_qs(parts.query).items()}, self.headers
                )
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - the name that the server looks for

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, query: dict[str, str], headers: Any) -> tuple[int, dict[str, str], bytes]:
        raise NotImplementedError

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class S3Server(_Server):
    """One bucket: ListObjectsV2 and GetObject with ranges and conditions."""

    def __init__(self, bucket: str) -> None:
        super().__init__()
        self.bucket = bucket
        self.objects: dict[str, bytes] = {}
        self.authorizations: list[str] = []
        self.before_get: Callable[[], None] = lambda: None

    def answer(self, path: str, query: dict[str, str], headers: Any) -> tuple[int, dict[str, str], bytes]:
        self.authorizations.append(headers.get("Authorization", ""))
        if self.status != 200:
            return self.status, {}, b"<Error><Code>AccessDenied</Code></Error>"
        bucket, _, key = path.lstrip("/").partition("/")
        if bucket != self.bucket:
            return 404, {}, b"<Error><Code>NoSuchBucket</Code></Error>"
        if not key:
            return 200, {"Content-Type": "application/xml"}, self._listing(query.get("prefix", ""))
        if "Range" in headers:
            self.before_get()
        if key not in self.objects:
            return 404, {}, b"<Error><Code>NoSuchKey</Code></Error>"
        return self._object(key, headers)

    def _listing(self, prefix: str) -> bytes:
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{_tag(data)}</ETag><Size>{len(data)}</Size></Contents>"
            for key, data in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()

    def _object(self, key: str, headers: Any) -> tuple[int, dict[str, str], bytes]:
        data = self.objects[key]
        shared = {"ETag": _tag(data), "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        if headers.get("If-Match", _tag(data)).strip('"') != _tag(data).strip('"'):
            return 412, {}, b"<Error><Code>PreconditionFailed</Code></Error>"
        if "Range" not in headers:
            return 200, shared, data
        first, _, last = headers["Range"].removeprefix("bytes=").partition("-")
        piece = data[int(first) : int(last) + 1]
        where = f"bytes {first}-{int(first) + len(piece) - 1}/{len(data)}"
        return 206, {**shared, "Content-Range": where}, piece


def _tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


class MlflowServer(_Server):
    """Registered versions, and their artifacts through the server's own proxy."""

    def __init__(self) -> None:
        super().__init__()
        self.uris: dict[tuple[str, str], str] = {}
        self.files: dict[str, bytes] = {}

    def add(self, name: str, version: int, files: dict[str, bytes]) -> None:
        root = f"0/models/m-{name}-{version}/artifacts"
        self.uris[(name, str(version))] = f"mlflow-artifacts:/{root}"
        self.files.update({f"{root}/{path}": data for path, data in files.items()})

    def answer(self, path: str, query: dict[str, str], headers: Any) -> tuple[int, dict[str, str], bytes]:
        if self.status != 200:
            return self.status, {"Location": "http://127.0.0.1:1/"}, b"{}"
        if path == "/api/2.0/mlflow/model-versions/search":
            # Pages of one version each, to be followed.
            every = sorted(self.uris)
            at = int(query.get("page_token") or 0)
            page = [
                {"name": name, "version": number, "source": f"models:/m-{name}-{number}", "status": "READY"}
                for name, number in every[at : at + 1]
            ]
            more = {"next_page_token": str(at + 1)} if at + 1 < len(every) else {}
            return _json({"model_versions": page, **more})
        if path == "/api/2.0/mlflow/model-versions/get-download-uri":
            return _json({"artifact_uri": self.uris[(query["name"], query["version"])]})
        if path == "/api/2.0/mlflow-artifacts/artifacts":
            return _json({"files": self._listing(query["path"])})
        return 200, {}, self.files[path.removeprefix("/api/2.0/mlflow-artifacts/artifacts/")]

    def _listing(self, folder: str) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for path, data in self.files.items():
            if path.startswith(f"{folder}/"):
                first, slash, _ = path[len(folder) + 1 :].partition("/")
                found[first] = (
                    {"path": first, "is_dir": True}
                    if slash
                    else {"path": first, "is_dir": False, "file_size": len(data)}
                )
        return list(found.values())


def _json(value: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()
