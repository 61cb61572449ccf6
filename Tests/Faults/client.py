"""An HTTP client that takes nothing on trust: it says whether a reply is whole, broken off, or never came."""

import re
import socket
import struct

# Linux: a socket in repair mode is closed without a word to the other side, like a machine that lost its power.
TCP_REPAIR = 19
STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*")


class Broken(Exception):
    """What came is no HTTP, or it is no complete reply."""


class Refused(Broken):
    """Closed before the first byte of a reply: nothing was claimed."""


class Truncated(Broken):
    """A reply had begun and did not end."""


class Reply:
    def __init__(self, status, headers, body, closes):
        self.status, self.headers, self.body, self.closes = status, headers, body, closes

    def __repr__(self):
        return f"{self.status}, {len(self.body)} bytes"


class Client:
    def __init__(self, address, timeout=60, receive_buffer=None):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.held = bytearray()
        try:
            self.socket.connect(address)
            if family == socket.AF_INET:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Sending.

    def exchange(self, method, path, body=None, headers=()):
        self.send(request(method, path, body, headers))
        return self.reply(method)

    def send(self, data):
        self.socket.sendall(data)

    # Receiving.

    def reply(self, method="GET"):
        while True:
            status, headers = self.head()
            if status >= 200:
                break
        if method == "HEAD" or status in (204, 304):
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = self.chunks()
        elif "content-length" in headers:
            body = self.exactly(int(headers["content-length"]))
        else:
            raise Truncated(f"{status} without a length")
        return Reply(status, headers, body, headers.get("connection") == "close")

    def head(self):
        while (end := self.held.find(b"\r\n\r\n")) < 0:
            if not self.more():
                raise Truncated("in the head: " + repr(bytes(self.held[:80]))) if self.held else Refused("closed")
        lines = bytes(self.held[:end]).split(b"\r\n")
        del self.held[:end + 4]
        found = STATUS_LINE.fullmatch(lines[0])
        if not found:
            raise Broken(repr(lines[0]))
        headers = {}
        for line in lines[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return int(found[1]), headers

    def exactly(self, count):
        while len(self.held) < count:
            if not self.more():
                raise Truncated(f"{len(self.held)} bytes of {count}")
        taken = bytes(self.held[:count])
        del self.held[:count]
        return taken

    def chunks(self):
        parts = []
        while True:
            while (end := self.held.find(b"\r\n")) < 0:
                if not self.more():
                    raise Truncated("in a chunk's size")
            size = int(bytes(self.held[:end]), 16)
            del self.held[:end + 2]
            part = self.exactly(size + 2)
            if part[-2:] != b"\r\n":
                raise Broken("a chunk that does not end where it says")
            if not size:
                return b"".join(parts)
            parts.append(part[:-2])

    def more(self, most=256 << 10):
        try:
            data = self.socket.recv(most)
        except ConnectionResetError:
            return False
        self.held += data
        return bool(data)

    def rest(self):
        """Everything until the server closes."""
        while self.more():
            pass
        return bytes(self.held)

    # Leaving.

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def vanish(self):
        """Gone without a word, where the system lets us (root); else a reset.

        Returns whether it was silent."""
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except OSError:
            self.reset()
            return False
        self.socket.close()
        return True


def request(method, path, body=None, headers=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: faults", *(f"{k}: {v}" for k, v in headers)]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunked(method, path, body, headers=(), size=64 << 10):
    """The same with a body in chunks."""
    head = request(method, path, None, [*headers, ("Transfer-Encoding", "chunked")])
    pieces = [b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size]) for i in range(0, len(body), size)]
    return head + b"".join(pieces) + b"0\r\n\r\n"


def raise_file_limit(count):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
    return min(count, hard) if soft < count else soft
