"""CPU seconds and peak memory of commands, each run several times and in turn."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Job:
    """A command to measure."""

    name: str
    command: Sequence[str]
    succeeds: frozenset[int] = frozenset({0, 1})
    """Exit codes after which a run counts."""


@dataclass
class Cost:
    """What the runs of one job took."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    failure: str = ""

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def peak(self) -> float:
        return max(self.megabytes)

    @property
    def known(self) -> bool:
        return bool(self.seconds) and not self.failure


def measure(
    jobs: Sequence[Job], rounds: int, *, limit: float, environment: Mapping[str, str]
) -> dict[str, Cost]:
    """The cost of every job; rounds go through all jobs, so that a busy minute hits all alike."""
    costs = {job.name: Cost() for job in jobs}
    for number in range(1, rounds + 1):
        for job in jobs:
            cost = costs[job.name]
            if cost.failure:
                continue
            print(f"round {number} of {rounds}: {job.name}", file=sys.stderr, flush=True)
            status, seconds, megabytes = _run(job.command, limit, environment)
            if status in job.succeeds:
                cost.seconds.append(seconds)
                cost.megabytes.append(megabytes)
            else:
                cost.failure = f"exit code {status}"
    return costs


def _run(
    command: Sequence[str], limit: float, environment: Mapping[str, str]
) -> tuple[int, float, float]:
    """Exit code, CPU seconds with all children, megabytes of the largest process."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(environment),
        start_new_session=True,
    )
    timer = threading.Timer(limit, _end, [process.pid])
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit


def _end(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
