"""Malformed HTTP: (name, the class of answer it expects, the bytes) of each entry.

The classes:
  refused   a 4xx (or nothing) and the connection closed; nothing hidden behind it is answered
  closed    bytes that are no HTTP: a 4xx or a close without a word
  waiting   incomplete by itself: no answer, and closed once the client stops
  served    odd but unambiguous: answered with a 2xx
  ended     a good request, then one that is none: one 2xx, and the connection ends
  version   another version of HTTP: 4xx, or 505 as RFC 9110 has it
  lenient   libmicrohttpd 0.9.75 takes a bare LF for a line's end (RFC 9112, section 2.2, allows it); which of these
            it answered with a 2xx is noted
  any       both a refusal and a service are right
None may ever be answered with another 5xx, hang, or keep the server from answering the next client."""

import random

POST = b"POST /v1/advantages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: hidden\r\n\r\n"
BODY = b'{"rewards":[1],"group_ids":[0]}'
GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
HELLO = bytes.fromhex(
    "16030100c8010000c40303" + "5a" * 32 + "20" + "a5" * 32 + "0026c02bc02fc02cc030cca9cca8c009c013c00ac014009c009d002f0035"
    "000a130113021303c007c011" + "01000055" + "00" * 60)


def sized(length, body=BODY):
    return POST + b"Content-Length: " + length + b"\r\n\r\n" + body


def chunked(body, field=b"Transfer-Encoding: chunked"):
    return POST + field + b"\r\n\r\n" + body


def field(line):
    return GET + line + b"\r\n\r\n"


def line(text):
    return text + b"\r\nHost: a\r\n\r\n"


WHOLE = b"1f\r\n" + BODY + b"\r\n0\r\n\r\n"
assert len(BODY) == 0x1F

CORPUS = [
    # Two readings of where a request ends.
    ("CL and TE", "refused", chunked(WHOLE, b"Content-Length: 31\r\nTransfer-Encoding: chunked") + HIDDEN),
    ("TE and CL", "refused", chunked(WHOLE, b"Transfer-Encoding: chunked\r\nContent-Length: 5") + HIDDEN),
    ("two CLs that agree", "refused", sized(b"31\r\nContent-Length: 31") + HIDDEN),
    ("two CLs that differ", "refused", sized(b"31\r\nContent-Length: 6") + HIDDEN),
    ("CL list", "refused", sized(b"31, 31") + HIDDEN),
    ("CL negative", "refused", sized(b"-1") + HIDDEN),
    ("CL plus", "refused", sized(b"+31") + HIDDEN),
    ("CL hexadecimal", "refused", sized(b"0x1f") + HIDDEN),
    ("CL with a point", "refused", sized(b"31.0") + HIDDEN),
    ("CL empty", "refused", sized(b"") + HIDDEN),
    ("CL of blanks inside", "refused", sized(b"3 1") + HIDDEN),
    ("CL with tail", "refused", sized(b"31abc") + HIDDEN),
    ("CL beyond 64 bits", "refused", sized(b"18446744073709551647") + HIDDEN),
    ("CL of 2^63", "refused", sized(b"9223372036854775808") + HIDDEN),
    ("CL of 200 digits", "refused", sized(b"9" * 200) + HIDDEN),
    ("CL above the limit", "refused", sized(b"9223372036854775807") + HIDDEN),
    ("CL with a blank before the colon", "refused", POST + b"Content-Length : 31\r\n\r\n" + BODY + HIDDEN),
    ("TE with a blank before the colon", "refused", chunked(WHOLE, b"Transfer-Encoding : chunked") + HIDDEN),
    ("TE gzip, chunked", "refused", chunked(WHOLE, b"Transfer-Encoding: gzip, chunked") + HIDDEN),
    ("TE identity", "refused", chunked(WHOLE, b"Transfer-Encoding: identity") + HIDDEN),
    ("TE twice", "refused", chunked(WHOLE, b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked") + HIDDEN),
    ("TE chunked, chunked", "refused", chunked(WHOLE, b"Transfer-Encoding: chunked, chunked") + HIDDEN),
    ("TE with a vertical tab", "refused", chunked(WHOLE, b"Transfer-Encoding: \x0bchunked") + HIDDEN),
    ("TE with a NUL", "refused", chunked(WHOLE, b"Transfer-Encoding: chunked\0") + HIDDEN),
    ("TE xchunked", "refused", chunked(WHOLE, b"Transfer-Encoding: xchunked") + HIDDEN),
    ("TE chunked;q=1", "refused", chunked(WHOLE, b"Transfer-Encoding: chunked;q=1") + HIDDEN),
    ("TE empty", "refused", chunked(WHOLE, b"Transfer-Encoding:") + HIDDEN),
    ("TE over HTTP/1.0", "refused", chunked(WHOLE).replace(b"HTTP/1.1", b"HTTP/1.0") + HIDDEN),
    ("TE quoted", "refused", chunked(WHOLE, b'Transfer-Encoding: "chunked"') + HIDDEN),
    ("TE folded", "refused", chunked(WHOLE, b"Transfer-Encoding:\r\n chunked, x") + HIDDEN),
    ("TE in capitals", "served", chunked(WHOLE, b"TRANSFER-ENCODING: Chunked")),
    # Chunks.
    ("chunk size negative", "refused", chunked(b"-1\r\n" + BODY + b"\r\n0\r\n\r\n") + HIDDEN),
    ("chunk size plus", "refused", chunked(b"+1f\r\n" + BODY + b"\r\n0\r\n\r\n") + HIDDEN),
    ("chunk size 0x", "refused", chunked(b"0x1f\r\n" + BODY + b"\r\n0\r\n\r\n") + HIDDEN),
    ("chunk size no digits", "refused", chunked(b"xyz\r\n" + BODY + b"\r\n0\r\n\r\n") + HIDDEN),
    ("chunk size empty", "refused", chunked(b"\r\n" + BODY + b"\r\n0\r\n\r\n") + HIDDEN),
    ("chunk size beyond 64 bits", "refused", chunked(b"1000000000000001f\r\n" + BODY + b"\r\n0\r\n\r\n") + HIDDEN),
    ("chunk size of 64 ones", "refused", chunked(b"f" * 64 + b"\r\n" + BODY) + HIDDEN),
    ("chunk size huge", "waiting", chunked(b"3fffffffffffffff\r\n" + BODY)),
    ("chunk longer than it says", "refused", chunked(b"5\r\n" + BODY + b"\r\n0\r\n\r\n") + HIDDEN),
    ("chunk shorter than it says", "refused", chunked(b"40\r\n" + BODY + b"\r\n0\r\n\r\n" + HIDDEN)),
    ("chunk one byte shorter than it says", "lenient", chunked(b"20\r\n" + BODY + b"\r\n0\r\n\r\n" + HIDDEN)),
    ("chunk without its line end", "refused", chunked(b"1f\r\n" + BODY + b"0\r\n\r\n") + HIDDEN),
    ("chunk extension", "served", chunked(WHOLE.replace(b"1f", b'1f;name="value"'))),
    ("chunk extension of 60 KiB", "any", chunked(WHOLE.replace(b"1f", b"1f;" + b"x" * 61440))),
    ("chunk extension with a bare LF", "lenient", chunked(WHOLE.replace(b"1f", b"1f;a\nb"))),
    ("trailer", "served", chunked(WHOLE[:-2] + b"X-Trailer: 1\r\n\r\n")),
    ("trailer that names a length", "any", chunked(WHOLE[:-2] + b"Content-Length: 5\r\n\r\n")),
    ("trailer without end", "waiting", chunked(WHOLE[:-2] + b"X-Trailer: 1\r\n")),
    ("chunk lines end in a bare LF", "lenient", chunked(WHOLE.replace(b"\r\n", b"\n"))),
    # Lines and their ends.
    ("all line ends bare LF", "lenient", GET.replace(b"\r\n", b"\n") + b"\n"),
    ("a bare CR in a value", "refused", field(b"X: a\rContent-Length: 5")),
    ("a bare LF in the head", "lenient", GET + b"X: a\nY: b\r\n\r\n"),
    ("bare CRs only", "waiting", GET.replace(b"\r\n", b"\r") + b"\r\r"),
    ("empty lines first", "served", b"\r\n\r\n" + GET + b"\r\n"),
    ("a hundred empty lines first", "any", b"\r\n" * 100 + GET + b"\r\n"),
    ("CR CR LF", "any", GET + b"X: a\r\r\n\r\n"),
    ("head ends in LF LF", "lenient", GET + b"\n\n"),
    ("NUL in a name", "refused", field(b"X\0Y: a")),
    ("NUL in a value", "refused", field(b"X: a\0b")),
    ("NUL in the path", "refused", line(b"GET /healthz\0 HTTP/1.1")),
    ("NUL in the method", "refused", line(b"GE\0T /healthz HTTP/1.1")),
    ("NUL in the version", "refused", line(b"GET /healthz HTTP/1.1\0")),
    ("only NULs", "closed", b"\0" * 500 + b"\r\n\r\n"),
    # Fields.
    ("no colon", "refused", field(b"nonsense")),
    ("empty name", "refused", field(b": a")),
    ("blank in a name", "refused", field(b"A B: c")),
    ("name with brackets", "refused", field(b"A(B): c")),
    ("name beyond ASCII", "refused", field("Ä: c".encode())),
    ("value beyond ASCII", "served", field("X: ä".encode())),
    ("value of invalid UTF-8", "served", field(b"X: \xff\xfe")),
    ("control byte in a value", "refused", field(b"X: a\x01b")),
    ("folded value", "any", field(b"X: a\r\n b")),
    ("fold before any field", "refused", b"GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n"),
    ("folded host", "any", b"GET /healthz HTTP/1.1\r\nHost:\r\n a\r\n\r\n"),
    ("no host", "refused", b"GET /healthz HTTP/1.1\r\n\r\n"),
    ("two hosts", "refused", field(b"Host: b")),
    ("host list", "refused", b"GET /healthz HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    ("host with a path", "refused", b"GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    ("a field of 40 KiB", "refused", field(b"X: " + b"a" * 40960)),
    ("a field of 200 KiB", "refused", field(b"X: " + b"a" * 204800)),
    ("2,000 fields", "refused", GET + b"".join(b"X-%d: abcdefgh\r\n" % i for i in range(2000)) + b"\r\n"),
    ("a name of 40 KiB", "refused", field(b"X" * 40960 + b": a")),
    # Request lines.
    ("HTTP/0.9", "closed", b"GET /healthz\r\n"),
    ("HTTP/0.9 with an empty line", "closed", b"GET /healthz\r\n\r\n"),
    ("HTTP/2 preface", "version", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0"),
    ("HTTP/2.0", "version", line(b"GET /healthz HTTP/2.0")),
    ("HTTP/1.2", "version", line(b"GET /healthz HTTP/1.2")),
    ("HTTP/1", "refused", line(b"GET /healthz HTTP/1")),
    ("http/1.1", "refused", line(b"GET /healthz http/1.1")),
    ("HTTP/01.1", "refused", line(b"GET /healthz HTTP/01.1")),
    ("HTTPS/1.1", "refused", line(b"GET /healthz HTTPS/1.1")),
    ("TLS ClientHello", "closed", HELLO),
    ("SSH", "closed", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    ("SMTP", "closed", b"EHLO a\r\nMAIL FROM:<a@b>\r\n\r\n"),
    ("noise", "closed", random.Random(1).randbytes(3000) + b"\r\n\r\n"),
    ("a line of 64 KiB", "refused", line(b"GET /" + b"a" * 65536 + b" HTTP/1.1")),
    ("a line of 1 MiB", "refused", line(b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1")),
    ("a target of 17,000 bytes", "refused", line(b"GET /" + b"a" * 17000 + b" HTTP/1.1")),
    ("a method of 5,000 letters", "refused", line(b"G" * 5000 + b" /healthz HTTP/1.1")),
    ("method in lower case", "refused", line(b"get /healthz HTTP/1.1")),
    ("unknown method", "refused", line(b"BREW /healthz HTTP/1.1")),
    ("method with @", "refused", line(b"G@T /healthz HTTP/1.1")),
    ("two blanks", "any", line(b"GET  /healthz HTTP/1.1")),
    ("tab for a blank", "any", line(b"GET\t/healthz\tHTTP/1.1")),
    ("blank first", "closed", line(b" GET /healthz HTTP/1.1")),
    ("blank in the target", "refused", line(b"GET /healthz x HTTP/1.1")),
    ("blank after the version", "any", line(b"GET /healthz HTTP/1.1 ")),
    # Targets.
    ("absolute target", "served", line(b"GET http://a/healthz HTTP/1.1")),
    ("absolute target with another host", "any", line(b"GET http://b/healthz HTTP/1.1")),
    ("absolute target with a login", "any", line(b"GET http://u:p@a/healthz HTTP/1.1")),
    ("another scheme", "refused", line(b"GET ftp://a/healthz HTTP/1.1")),
    ("authority target", "refused", line(b"CONNECT a:443 HTTP/1.1")),
    ("authority target of GET", "refused", line(b"GET a:443 HTTP/1.1")),
    ("asterisk of OPTIONS", "served", line(b"OPTIONS * HTTP/1.1")),
    ("asterisk of GET", "refused", line(b"GET * HTTP/1.1")),
    ("relative target", "refused", line(b"GET healthz HTTP/1.1")),
    ("empty target", "refused", line(b"GET  HTTP/1.1")),
    ("fragment", "any", line(b"GET /healthz#a HTTP/1.1")),
    ("percent without digits", "refused", line(b"GET /healthz%zz HTTP/1.1")),
    ("percent at the end", "refused", line(b"GET /healthz% HTTP/1.1")),
    ("percent NUL", "refused", line(b"GET /healthz%00 HTTP/1.1")),
    ("percent line end", "refused", line(b"GET /healthz%0d%0aX:%20y HTTP/1.1")),
    ("percent invalid UTF-8", "refused", line(b"GET /%ff%fe HTTP/1.1")),
    ("percent overlong slash", "refused", line(b"GET /%c0%af HTTP/1.1")),
    ("percent surrogate", "refused", line(b"GET /%ed%a0%80 HTTP/1.1")),
    ("bytes of invalid UTF-8", "refused", line(b"GET /\xff\xfe HTTP/1.1")),
    ("way up", "refused", line(b"GET /../../../etc/passwd HTTP/1.1")),
    ("escaped way up", "refused", line(b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1")),
    ("query percent invalid", "refused", line(b"GET /v1/info?a=%f HTTP/1.1")),
    ("query of 8,000 members", "closed", line(b"GET /v1/recipes/cppo-removing/preview?" + b"a&" * 8000 + b" HTTP/1.1")),
    # Expect, upgrade, pipelines.
    ("Expect unknown", "refused", POST + b"Expect: miracles\r\nContent-Length: 31\r\n\r\n" + BODY),
    ("Expect twice", "any", POST + b"Expect: 100-continue\r\nExpect: x\r\nContent-Length: 31\r\n\r\n" + BODY),
    ("Expect with the body at once", "served", POST + b"Expect: 100-continue\r\nContent-Length: 31\r\n\r\n" + BODY),
    ("Expect without a body", "any", GET + b"Expect: 100-continue\r\n\r\n"),
    ("upgrade to h2c", "served", field(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk")),
    ("upgrade to websocket", "served", field(b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")),
    ("Connection with nonsense", "served", field(b"Connection: ,,,close,,keep-alive, \"")),
    ("pipeline", "served", GET + b"\r\n" + GET + b"\r\n"),
    ("pipeline with garbage", "ended", GET + b"\r\n" + b"\x01\x02 nonsense \xff\r\n\r\n"),
    ("pipeline with a bad second", "ended", GET + b"\r\n" + sized(b"-5") + HIDDEN),
    ("pipeline after a body", "served", sized(b"31") + GET + b"\r\n"),
    ("GET with a body", "any", GET + b"Content-Length: 31\r\n\r\n" + BODY),
    ("body shorter than it says", "waiting", sized(b"1000")),
    ("no body at all", "any", POST + b"\r\n"),
    ("no end of the head", "waiting", GET),
    ("nothing", "waiting", b""),
]
