"""Many addresses, one echo to each; and many addresses, once a second."""

import re

from measure import in_turn

PART = "many addresses"


def ours(run):
    """What `ping_many` says of itself."""
    sent, received = (re.search(rf"\b{word}: (\d+)", run.out) for word in ("sent", "received"))
    if not sent or not received:
        return {}, "failed: " + (run.err.strip() or run.out.strip())[:200]
    sent, received = int(sent[1]), int(received[1])
    numbers = {"us cpu/probe": run.cpu * 1e6 / max(1, sent), "probes/s": sent / run.wall, "lost": sent - received}
    return numbers, ""


def fping(sent):
    """Reads fping's list of those that answered."""

    def read(run):
        received = len(run.out.split())
        numbers = {"us cpu/probe": run.cpu * 1e6 / sent, "probes/s": sent / run.wall, "lost": sent - received}
        return numbers, "" if run.code in (0, 1) else f"exit code {run.code}: {run.err.strip()[-120:]}"

    return read


def fping_rounds(count, rounds):
    """Reads the lines `-C -q` ends with: the address and a round trip or a dash for each round."""

    def read(run):
        lines = [line for line in run.err.splitlines() if " : " in line]
        received = sum(word != "-" for line in lines for word in line.split(" : ")[1].split())
        sent = count * rounds
        if run.code not in (0, 1):
            return {}, f"exit code {run.code}: {run.err.strip().splitlines()[-1][:120] if run.err.strip() else ''}"
        numbers = {"us cpu/probe": run.cpu * 1e6 / sent, "probes/s": sent / run.wall, "lost": sent - received}
        return numbers, ""

    return read


def addresses(at, count):
    """A file of so many loopback addresses."""
    path = at.scratch / f"addresses-{count}"
    first = 0x7F000001
    lines = (".".join(str((first + n) >> shift & 255) for shift in (24, 16, 8, 0)) for n in range(count))
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def measure(at):
    """One echo to each of many addresses, then many rounds, then a steady rate."""
    many = 6_000 if at.quick else 60_000
    file = addresses(at, many)
    ping_many = at.example("ping_many")
    tools = [
        ("netwark, send stamps off", [ping_many, file, "--stamps", "off"], ours),
        ("netwark, send stamps on", [ping_many, file, "--stamps", "on"], ours),
    ]
    if at.has("fping"):
        tools.append(("fping -a -i 0 -r 0", ["fping", "-a", "-i", "0", "-r", "0", "-f", file], fping(many)))
    yield from in_turn(PART, f"{many:,} addresses, 1 echo", tools, at.runs)

    rounds = 3 if at.quick else 20
    tools = [("netwark", [ping_many, file, "--rounds", str(rounds), "--stamps", "off"], ours)]
    if at.slow and at.has("fping"):
        command = ["fping", "-C", str(rounds), "-q", "-B1", "-r1", "-i", "0", "-p", "10500", "-f", file]
        tools.append(("fping, its fastest setting", command, fping_rounds(many, rounds)))
    yield from in_turn(PART, f"{many:,} addresses x {rounds}, no gap", tools, 1 if at.slow else min(3, at.runs))

    steady = 1_000 if at.quick else 10_000
    file = addresses(at, steady)
    seconds = str(at.seconds)
    tools = [("netwark", [ping_many, file, "--rounds", seconds, "--interval", "1000"], ours)]
    if at.has("fping"):
        command = ["fping", "-C", seconds, "-q", "-B1", "-r0", "-i", "0", "-p", "1000", "-f", file]
        tools.append(("fping -i 0 -p 1000", command, fping_rounds(steady, at.seconds)))
    yield from in_turn(PART, f"{steady:,} addresses once a second, {seconds} s", tools, 1)
