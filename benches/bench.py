#!/usr/bin/env python3
"""Measures Netwark beside fping, ping and mtr on the same work, in turn, and says what each needed.

Needs nothing but Python 3.11 and, for its peers and the chain of routers, root. See README.md.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from parts import accuracy, lookups, messaging, operations, sweep, trace, watch  # noqa: E402
from peers import install, versions  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
PARTS = {
    "sweep": sweep,
    "accuracy": accuracy,
    "trace": trace,
    "operations": operations,
    "messaging": messaging,
    "lookups": lookups,
    "watch": watch,
}
# The programs besides the binary that a part runs.
EXAMPLES = {
    "sweep": ("ping_many",),
    "accuracy": ("chain", "ping_many"),
    "trace": ("chain", "trace_many"),
    "messaging": ("messaging",),
    "watch": ("lan",),
    "lookups": ("geoip_speed", "parse_whois", "vendor_speed"),
}


class Bench:
    """What every part may know: where the programs are, how long it may take."""

    def __init__(self, arguments, scratch, missing):
        self.binary = str(Path(arguments.binary).resolve())
        self.examples = Path(arguments.examples).resolve()
        self.quick, self.slow = arguments.quick, arguments.slow
        self.runs = 1 if self.quick else arguments.runs
        self.few = 1 if self.quick else max(1, min(5, arguments.runs))
        self.seconds = 5 if self.quick else arguments.seconds
        self.scratch, self.missing = Path(scratch), missing

    def has(self, program):
        return program not in self.missing

    def example(self, name):
        return str(self.examples / name)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", help=f"parts, separated by commas: {','.join(PARTS)}")
    parser.add_argument("--runs", type=int, default=9, help="runs of what is short (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=60, help="length of the steady rate (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a small dry run, to see that everything works")
    parser.add_argument("--slow", action="store_true", help="also what takes fping minutes")
    parser.add_argument("--profile", default="quick", help="what was built (default: %(default)s)")
    parser.add_argument("--binary", help="the binary (default: target/PROFILE/netwark)")
    parser.add_argument("--examples", help="its examples (default: target/PROFILE/examples)")
    arguments = parser.parse_args()
    built = ROOT / "target" / arguments.profile
    arguments.binary = arguments.binary or built / "netwark"
    arguments.examples = arguments.examples or built / "examples"
    arguments.only = ",".join(arguments.only or PARTS).split(",")
    unknown = [name for name in arguments.only if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    examples = {name for part in arguments.only for name in EXAMPLES.get(part, ())}
    needed = [Path(arguments.binary), *(Path(arguments.examples) / name for name in sorted(examples))]
    lacking = [str(path) for path in needed if not os.access(path, os.X_OK)]
    if lacking:
        parser.error(f"not built: {', '.join(lacking)}; 'make bench' builds them")
    return arguments


def seconds(value):
    if value is None:
        return ""
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def number(value):
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def show(row):
    """Prints a row of the table."""
    memory = "" if row.rss is None else f"{row.rss / 2**20:.1f}"
    told = ", ".join(f"{key} {number(value)}" for key, value in row.numbers.items())
    if row.note:
        told = f"{told}; {row.note}" if told else row.note
    print(f"  {row.tool:<28}{seconds(row.wall):>9}{seconds(row.cpu):>9}{memory:>9}  {row.runs:>3}  {told}", flush=True)


def main():
    arguments = parse()
    missing = install()
    rows, case = [], None
    print(f"{'':30}{'wall s':>9}{'cpu s':>9}{'rss MiB':>9}  {'n':>3}")
    with tempfile.TemporaryDirectory(prefix="netwark-bench-") as scratch:
        at = Bench(arguments, scratch, missing)
        for name in arguments.only:
            try:
                for row in PARTS[name].measure(at):
                    if (row.part, row.case) != case:
                        case = (row.part, row.case)
                        print(f"\n{row.part}: {row.case}")
                    show(row)
                    rows.append(row)
            except (RuntimeError, OSError) as error:
                print(f"\n{name}: not measured: {error}", flush=True)
    directory = ROOT / "target" / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    path = directory / f"{now:%Y%m%dT%H%M%SZ}.json"
    report = {
        "at": now.isoformat(timespec="seconds"),
        "quick": arguments.quick,
        "binary": str(arguments.binary),
        "machine": {
            "kernel": platform.release(),
            "cores": os.cpu_count(),
            "load": os.getloadavg(),
            "root": os.geteuid() == 0,
        },
        "peers": versions(),
        "rows": [row.as_json() for row in rows],
    }
    path.write_text(json.dumps(report, indent=2) + "\n")
    shutil.copy(path, directory / "latest.json")
    print(f"\nall numbers are in {path}")


if __name__ == "__main__":
    main()
