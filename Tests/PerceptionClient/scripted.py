"""A server that does what a test says: each request is answered by the next function of a script."""

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from perception_client.versions import VERSION

INFO = {
    "name": "perception-server", "version": VERSION, "instruction_set": "portable", "threads": 1, "tls": False,
    "shared_files": False, "limits": {}, "formats": {}, "presets": [], "recipes": [],
}  # fmt: skip


class Request:
    def __init__(self, handler, body):
        self.handler, self.body = handler, body
        self.method, self.path, self.headers = handler.command, handler.path, handler.headers

    def answer(self, status=200, body=b"{}", **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.handler.send_response(status)
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in (fields | {k.replace("_", "-"): v for k, v in headers.items()}).items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def problem(self, status, kind="busy", **headers):
        problem = {"type": kind, "title": "t", "status": status, "detail": f"{kind} here", "errors": [{"reason": kind}]}
        self.answer(status, problem, Content_Type="application/problem+json", **headers)

    def hang_up(self):
        self.handler.close_connection = True
        self.handler.connection.shutdown(socket.SHUT_RDWR)


class Script:
    """`url`; `requests` are those received but /v1/info; `connections` counts the connections accepted."""

    def __init__(self, url):
        self.url, self.requests, self.connections, self.steps = url, [], 0, []
        self.lock = threading.Lock()
        self.info = dict(INFO)


@contextlib.contextmanager
def scripted(*steps, default=lambda request: request.answer(body={"default": "a", "presets": []})):
    """A Script whose requests are answered by the steps in turn, and then by `default`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            with script.lock:
                script.connections += 1

        def handle_any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self, body)
            if self.path == "/v1/info":
                return request.answer(body=script.info)
            with script.lock:
                script.requests.append(request)
                step = script.steps.pop(0) if script.steps else default
            step(request)

        do_GET = do_POST = handle_any

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        script = Script(f"http://127.0.0.1:{server.server_address[1]}")
        script.steps = list(steps)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
