"""How near a reported round trip is to what passed on the wire, on a link of 10 ms."""

import json
import re
import statistics
import subprocess
import time

from measure import Row, quantile, run
from peers import chain

PART = "accuracy"
PROBES = 200


def start_dump(namespace, path):
    """Begins to note every ICMP packet on the source's device with the kernel's stamp."""
    out = open(path, "w", encoding="ascii", errors="replace")
    command = ["ip", "netns", "exec", namespace, "tcpdump", "-i", "f", "-n", "-tt", "-l", "--immediate-mode"]
    command += ["--time-stamp-precision=nano", "-B", "4096", "icmp"]
    process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
    time.sleep(0.7)
    return process, out


def wire(path):
    """Round trips on the wire in milliseconds, in the order the requests left."""
    line = re.compile(r"^(\d+)\.(\d{9}) .* ICMP echo (request|reply), id (\d+), seq (\d+)")
    sent, trips = {}, {}
    for text in path.read_text().splitlines():
        found = line.match(text)
        if not found:
            continue
        at = int(found[1]) * 10**9 + int(found[2])
        key = (found[4], found[5])
        if found[3] == "request":
            sent.setdefault(key, at)
        elif key in sent:
            trips.setdefault(key, (at - sent[key]) / 1e6)
    return [trips[key] for key in sent if key in trips]


def netwark(out):
    """Every reported round trip, in the order of the requests, and their mean."""
    replies = json.loads(out)["reports"][0]["replies"]
    each = [reply["rtt"] for reply in replies if reply["fate"] == "reply"]
    return each, statistics.fmean(each)


def iputils(out):
    return None, float(re.search(r"= [\d.]+/([\d.]+)/", out)[1])


def mtr(out):
    return None, float(json.loads(out)["report"]["hubs"][-1]["Avg"])


def compare(at, source, name, command, read, case):
    """One run of one tool against the wire."""
    path = at.scratch / "wire"
    dump, out = start_dump(source, path)
    one = run(command, source)
    time.sleep(0.5)
    dump.terminate()
    dump.wait()
    out.close()
    try:
        each, mean = read(one.out)
    except (ValueError, KeyError, IndexError, TypeError):
        return Row(PART, case, name, 1, note="failed: " + (one.err or one.out).strip()[:200])
    truth = wire(path)
    if not truth:
        return Row(PART, case, name, 1, note="nothing was seen on the wire")
    numbers = {
        "mean ms": mean,
        "wire ms": statistics.fmean(truth),
        "mean - wire us": (mean - statistics.fmean(truth)) * 1e3,
    }
    if each and len(each) == len(truth):
        errors = [abs(told - true) * 1e3 for told, true in zip(each, truth)]
        numbers["p99 error us"] = quantile(errors, 0.99)
        numbers["worst error us"] = max(errors)
    return Row(PART, case, name, 1, one.wall, one.cpu, one.rss, numbers)


def middle(rows):
    """The row of several runs: the median of each number."""
    first = rows[0]
    good = [row for row in rows if row.numbers]
    if not good:
        return first
    keys = {key: None for row in good for key in row.numbers}
    first = good[0]
    first.runs = len(good)
    first.numbers = {key: statistics.median(r.numbers[key] for r in good if key in r.numbers) for key in keys}
    return first


def measure(at):
    """Netwark, ping and mtr in turn, on a quiet machine and beside a sweep of 10,000 addresses."""
    if not at.has("tcpdump"):
        return
    count = str(PROBES)
    with chain(at.example("chain"), [5]) as (names, target):
        source = names[0]
        tools = [("netwark", [at.binary, "ping", "-n", "-c", count, "-i", "0.02", "--json", target], netwark)]
        if at.has("ping"):
            tools.append(("ping", ["ping", "-n", "-q", "-c", count, "-i", "0.02", target], iputils))
        if at.has("mtr"):
            command = ["mtr", "-n", "-j", "-c", count, "-i", "0.02", "-G", "0.1", target]
            tools.append(("mtr", command, mtr))
        for load in (False, True):
            case = "10 ms link" + (", 10,000 others once a second" if load else "")
            noise = None
            if load:
                command = [at.example("ping_many"), "10000", "--rounds", "1000", "--interval", "1000"]
                noise = subprocess.Popen(command, stdout=subprocess.DEVNULL)
                time.sleep(1)
            rows = {name: [] for name, _, _ in tools}
            for _ in range(at.runs):
                for name, command, read in tools:
                    rows[name].append(compare(at, source, name, command, read, case))
            if noise:
                noise.kill()
                noise.wait()
            yield from (middle(rows[name]) for name, _, _ in tools)
