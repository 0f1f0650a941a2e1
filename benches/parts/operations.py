"""The server: from a POST to `done`, many at once, memory at rest, time to the first answer."""

import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import threading
import time

from measure import Process, Row, quantile

PART = "operations"
BODY = json.dumps({"type": "ping", "target": "127.0.0.1", "options": {"count": 1}})


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server(Process):
    """A server on a data directory of its own."""

    def __init__(self, binary, directory):
        shutil.rmtree(directory, ignore_errors=True)
        self.binary, self.directory, self.port = binary, str(directory), free_port()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("NETWARK_")}
        command = [binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data-dir", self.directory]
        began = time.perf_counter()
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.first_answer = self.wait(began)

    def wait(self, began):
        """Seconds from the start to the first answer."""
        while time.perf_counter() - began < 30 and self.process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return time.perf_counter() - began
            except OSError:
                time.sleep(0.001)
        raise RuntimeError("the server does not answer")

    def token(self):
        command = [self.binary, "token", "create", "bench", "--role", "operator", "--data-dir", self.directory]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Client:
    """One connection that stays open."""

    def __init__(self, port, token):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method, path, body=None):
        self.connection.request(method, "/api/v1" + path, body, self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]!r}")
        return json.loads(text)

    def post(self):
        return self.ask("POST", "/operations", BODY)["operation_id"]

    def status(self, operation):
        return self.ask("GET", f"/operations/{operation}")["status"]


def one_by_one(client, number):
    """Milliseconds from the POST of each to its `done`, asked for again and again."""
    took = []
    for _ in range(number):
        began = time.perf_counter()
        operation = client.post()
        while (status := client.status(operation)) in ("pending", "progress"):
            pass
        if status != "done":
            raise RuntimeError(f"an operation ended as {status}")
        took.append((time.perf_counter() - began) * 1e3)
    return took


def at_once(server, token, number, connections=8):
    """Seconds until so many posted over several connections are all done."""
    operations, lock = [], threading.Lock()

    def post(share):
        client = Client(server.port, token)
        for _ in range(share):
            operation = client.post()
            with lock:
                operations.append(operation)

    began = time.perf_counter()
    threads = [threading.Thread(target=post, args=(number // connections,)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    posted = time.perf_counter() - began
    client = Client(server.port, token)
    for operation in operations:
        while (status := client.status(operation)) in ("pending", "progress"):
            time.sleep(0.001)
        if status != "done":
            raise RuntimeError(f"an operation ended as {status}")
    return posted, time.perf_counter() - began


def measure(at):
    """All of it, on one server; the time to the first answer on a fresh one each."""
    directory = at.scratch / "server"
    starts = []
    for _ in range(at.few):
        server = Server(at.binary, directory)
        starts.append(server.first_answer)
        server.stop()
    yield Row(PART, "first answer after the start", "netwark serve", len(starts), statistics.median(starts))

    server = Server(at.binary, directory)
    try:
        token = server.token()
        time.sleep(3)
        before = server.cpu()
        time.sleep(5)
        idle = (server.cpu() - before) / 5 * 100
        yield Row(PART, "at rest", "netwark serve", 1, rss=server.rss(), numbers={"share of a core %": idle})
        client = Client(server.port, token)
        one_by_one(client, 10)
        took = one_by_one(client, 50 if at.quick else 200)
        numbers = {"median ms": statistics.median(took), "p95 ms": quantile(took, 0.95), "worst ms": max(took)}
        yield Row(PART, "POST to done, one by one (ping, 1 echo)", "netwark serve", len(took), numbers=numbers)
        runs = [at_once(server, token, 200) for _ in range(at.few)]
        posted, done = (statistics.median(one[i] for one in runs) for i in (0, 1))
        yield Row(
            PART, "200 posted at once, all done", "netwark serve", len(runs), done, rss=server.rss(),
            numbers={"posted s": posted},
        )
    finally:
        server.stop()
