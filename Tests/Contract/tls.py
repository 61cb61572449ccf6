"""Certificates for this machine, how a server is given them, and a client that sees TLS's own bytes."""

import contextlib
import socket
import ssl
import subprocess
import urllib.parse

# More than all buffers of a loopback connection hold.
LARGE = 24 << 20


def certificate(folder, name, *key):
    """Self-signed, for this machine's loopback, and its key."""
    files = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=perception", "-newkey", *key]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-out", files[0], "-keyout", files[1]]
    subprocess.run(command, check=True, capture_output=True)
    return files


def options(identity):
    return "--tls-certificate", str(identity[0]), "--tls-key", str(identity[1])


def context(identity, lowest=ssl.TLSVersion.TLSv1_2, highest=ssl.TLSVersion.TLSv1_3):
    context = ssl.create_default_context(cafile=identity[0])
    context.minimum_version, context.maximum_version = lowest, highest
    return context


@contextlib.contextmanager
def connection(url, tls, receive_buffer=None):
    """A TLS connection; that the server's bytes are TLS and nothing else, the TLS library sees to."""
    address = urllib.parse.urlsplit(url)
    plain = socket.socket()
    if receive_buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    plain.settimeout(20)
    plain.connect((address.hostname, address.port))
    with tls.wrap_socket(plain, server_hostname=address.hostname) as client:
        yield client


def head(path, *fields, method="POST"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()


def read_to_end(client):
    """All that comes until the server closes; an end without TLS's own goodbye is an error."""
    received = b""
    while piece := client.recv(1 << 16):
        received += piece
    return received
