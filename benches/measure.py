"""Runs programs and says what they cost; medians of several runs, taken in turn."""

import ctypes
import os
import resource
import selectors
import statistics
import subprocess
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field


@dataclass
class Run:
    """One run of one program. Times in seconds, memory in bytes."""

    wall: float
    cpu: float
    rss: int
    code: int
    out: str
    err: str


@dataclass
class Row:
    """A line of the table: what one tool needed for one case, the median of its runs."""

    part: str
    case: str
    tool: str
    runs: int = 0
    wall: float | None = None
    cpu: float | None = None
    rss: int | None = None
    numbers: dict = field(default_factory=dict)
    note: str = ""

    def as_json(self):
        return asdict(self)


# How often the memory of a running program is looked at, in seconds.
LOOK = 0.005


def run(command, inside=None, timeout=600):
    """Runs a command to its end, in a network namespace if one is named; what it takes to go there is not counted.

    CPU is user and system time of the program and of the children it waited for. Memory is the most
    that was resident: what wait4(2) says, unless that is no more than what this program itself had when
    it started the other, which the kernel counts too; then the peak as it was last seen while it ran.
    """
    with entered(inside):
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    try:
        out, err, seen = communicate(process, timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return Run(timeout, 0.0, 0, -1, "", f"no end within {timeout} s")
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    process.stderr.close()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rss = usage.ru_maxrss * 1024 if usage.ru_maxrss > own else seen
    return Run(wall, usage.ru_utime + usage.ru_stime, rss, process.returncode, out, err)


@contextmanager
def entered(namespace):
    """This thread, and what it starts, in a network namespace that `ip netns` knows by this name."""
    if not namespace:
        yield
        return
    with open("/proc/thread-self/ns/net", encoding="ascii") as home:
        with open(f"/run/netns/{namespace}", encoding="ascii") as there:
            into(there)
        try:
            yield
        finally:
            into(home)


def into(namespace):
    """os.setns is not there before Python 3.12."""
    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0x40000000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")


def communicate(process, timeout):
    """Reads all a process writes, but leaves it for wait4; also the most memory it was seen with."""
    texts = {process.stdout: [], process.stderr: []}
    until = time.monotonic() + timeout
    look_at, seen = 0.0, 0
    with selectors.DefaultSelector() as selector:
        for pipe in texts:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            now = time.monotonic()
            if now >= until:
                raise subprocess.TimeoutExpired(process.args, timeout)
            if now >= look_at:
                seen = max(seen, peak(process.pid))
                look_at = now + LOOK
            for key, _ in selector.select(LOOK):
                chunk = os.read(key.fileobj.fileno(), 1 << 16)
                if chunk:
                    texts[key.fileobj].append(chunk)
                else:
                    selector.unregister(key.fileobj)
    out, err = (b"".join(chunks).decode(errors="replace") for chunks in texts.values())
    return out, err, seen


def peak(pid):
    """The most memory a process has had resident since it was loaded; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            return next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def memory(pid, kind="VmRSS"):
    """Bytes a process has resident; `RssAnon` of them are its own, `RssFile` are pages of files."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(kind))


class Process:
    """What is known of a program that runs on, in `self.process`."""

    def rss(self):
        """Bytes it has resident."""
        return memory(self.process.pid)

    def cpu(self):
        """Seconds of CPU it has used."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def in_turn(part, case, tools, runs, inside=None, timeout=600):
    """Runs each tool `runs` times, one after the other, and gives a row for each.

    `tools` are (name, command, read); `read` gets a Run and returns (numbers, complaint): numbers
    for the table, and a sentence when the run is not what it should be.
    """
    done = {name: [] for name, _, _ in tools}
    told = {name: [] for name, _, _ in tools}
    notes = {name: "" for name, _, _ in tools}
    for _ in range(runs):
        for name, command, read in tools:
            one = run(command, inside, timeout)
            numbers, complaint = read(one)
            done[name].append(one)
            told[name].append(numbers)
            notes[name] = complaint or notes[name]
    return [row_of(part, case, name, done[name], told[name], notes[name]) for name, _, _ in tools]


def row_of(part, case, name, done, told, note):
    """The row of one tool's runs."""
    keys = {key: None for numbers in told for key in numbers}
    middle = {key: statistics.median(n[key] for n in told if key in n) for key in keys}
    return Row(
        part,
        case,
        name,
        len(done),
        statistics.median(one.wall for one in done),
        statistics.median(one.cpu for one in done),
        round(statistics.median(one.rss for one in done)),
        middle,
        note,
    )


def quantile(values, share):
    """The value below which a share of them lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
