"""Bursts of signals under load, a log whose reader is gone, and ten SIGTERMs at once."""

import signal
import subprocess
import threading
import time

import client
import traffic
from checked import Wrong
from server import Server, clean_environment

HARMLESS = ("SIGCHLD", "SIGWINCH", "SIGURG", "SIGCONT", "SIGPIPE", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGHUP")
BURST = 3000


class Load:
    """Clients in threads; what any of them saw that no client should see is kept."""

    def __init__(self, server, kinds, clients=4):
        self.over, self.wrong, self.answered = threading.Event(), [], 0
        self.threads = [threading.Thread(target=self.work, args=(server.address, kinds, i)) for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def work(self, address, kinds, seed):
        mixed = traffic.Mixed(address, kinds, seed)
        while not self.over.is_set():
            try:
                mixed.once()
                self.answered += 1
            except (OSError, client.Broken, Wrong) as error:
                self.wrong.append(f"{type(error).__name__}: {error}")
                time.sleep(0.05)
            time.sleep(0.002)
        mixed.drop()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)


def bursts(claims, binary):
    with Server(binary) as server:
        kinds = traffic.learned(server, traffic.small())
        threads = server.threads()
        for name in HARMLESS:
            load = Load(server, kinds)
            time.sleep(0.2)
            begin = load.answered
            for _ in range(BURST):
                server.signal(getattr(signal, name))
                if not server.alive():
                    break
            time.sleep(0.5)
            load.end()
            claims.claim(f"{BURST} × {name} under load: no request lost", server.alive() and not load.wrong and load.answered > begin,
                         f"{load.answered} answered" if server.alive() and not load.wrong else
                         f"exit code {server.process.poll()}, {len(load.wrong)} lost: {load.wrong[:1]}")
            if not server.alive():
                return
        claims.claim("no thread more or less", server.threads() == threads, f"{server.threads()}, {threads} before")
        load = Load(server, kinds)
        time.sleep(0.5)
        load.over.set()  # Each finishes what it has begun.
        for _ in range(10):
            server.signal(signal.SIGTERM)
        code = server.ended()
        load.end()
        lines = [line for line in server.log_lines() if '"message":"draining"' in line]
        truncated = [w for w in load.wrong if w.startswith(("Truncated", "Wrong")) and " 503 " not in w]
        claims.claim("ten SIGTERMs at once under load are one drain and exit code 0", code == 0 and len(lines) == 1 and not truncated,
                     f"exit code {code}, {len(lines)} begun, {truncated[:1]}")
        claims.claim("no error in its log", not server.bad_lines(), (server.bad_lines() or [""])[0][:200])


def reader_gone(claims, binary):
    """The log goes into a pipe that nobody reads any more: what `docker logs` or a crashed collector may leave."""
    process = subprocess.Popen([binary, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=clean_environment())
    port = int(process.stdout.readline().rsplit(":", 1)[1])
    process.stdout.close()
    process.stderr.close()
    statuses = []
    try:
        for _ in range(50):
            with client.Client(("127.0.0.1", port), 5) as one:
                statuses.append(one.exchange("GET", "/v1/info").status)
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)
    except (OSError, client.Broken) as error:
        code = repr(error)
    finally:
        process.kill()
        process.wait()
    claims.claim("the log's reader is gone: requests are answered and SIGTERM still ends it with 0",
                 statuses == [200] * 50 and code == 0, f"{len(statuses)} answered, exit code {code}")


def run(claims, binary):
    reader_gone(claims, binary)
    bursts(claims, binary)
