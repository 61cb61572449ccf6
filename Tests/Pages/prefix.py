"""A reverse proxy that serves a server under a path, as ingresses and notebooks do. It rewrites no bodies."""

import contextlib
import http.client
import http.server
import threading
import urllib.parse

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


def handler(upstream, path):
    host = urllib.parse.urlsplit(upstream).netloc

    class Proxy(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self.path.startswith(path + "/"):
                self.reply(404, {"Content-Type": "text/plain"}, b"outside the prefix")
                return
            connection = http.client.HTTPConnection(host)
            kept = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP | {"host"}}
            connection.request(self.command, self.path[len(path) :], body or None, kept)
            reply = connection.getresponse()
            content = reply.read()
            headers = {k: v for k, v in reply.getheaders() if k.lower() not in HOP_BY_HOP}
            self.reply(reply.status, headers, content)
            connection.close()

        def reply(self, status, headers, content):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_HEAD = do_OPTIONS = answer

        def log_message(self, *_):
            pass

    return Proxy


@contextlib.contextmanager
def proxied(upstream, path):
    """The address under which `upstream` is served below `path`, which has no slash at its end."""
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(upstream, path))
    proxy.daemon_threads = True
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{proxy.server_port}{path}"
    proxy.shutdown()
    proxy.server_close()
