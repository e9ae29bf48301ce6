"""What the machine is, what processes use of it, and how much of it others take meanwhile."""

import os
import platform
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

QUIET = 0.35
"""Cores that everything else may use while a window counts as quiet."""
_TICKS = os.sysconf("SC_CLK_TCK")
_BUSY = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, steal


def facts() -> dict[str, Any]:
    """The machine, as a result file names it."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def today() -> str:
    """Now, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def rsa_verifies_per_second(seconds: float = 0.5) -> float:
    """How many RS256 signatures (2048 bits) one core checks in a second: no launch can be faster."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public, text = key.public_key(), b"x" * 1500
    signature = key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    count, started = 0, time.process_time()
    while time.process_time() - started < seconds:
        public.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
        count += 1
    return count / (time.process_time() - started)


def pin(core: int, pid: int = 0) -> None:
    """Keep a process, and what it starts from now on, on one core."""
    cores = os.sched_getaffinity(0) if pid == 0 else set(range(os.cpu_count() or 1))
    if len(cores) > 1 or pid:
        os.sched_setaffinity(pid, {core})


def prefer() -> None:
    """Let this process and its children go before others, where that is allowed (it is for root)."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    except PermissionError:
        return


def busy_seconds() -> float:
    """CPU seconds that the whole machine has used."""
    with Path("/proc/stat").open() as stat:
        fields = stat.readline().split()[1:]
    return sum(int(fields[i]) for i in _BUSY) / _TICKS


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and all its descendants, those that have ended included."""
    total = 0
    for member in _family(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / _TICKS


def own_cpu_seconds() -> float:
    """CPU seconds of this process without its children."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mib(pid: int) -> float:
    """The most memory that a process has held at once, with its descendants."""
    total = 0
    for member in _family(pid):
        try:
            status = Path(f"/proc/{member}/status").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return total / 1024


def wait_until_quiet(most_seconds: float) -> None:
    """Wait for a second in which others use less than `QUIET` cores, at most so long."""
    until = time.monotonic() + most_seconds
    while time.monotonic() < until:
        before = busy_seconds()
        time.sleep(1.0)
        if busy_seconds() - before < QUIET:
            return


@dataclass(frozen=True)
class Use:
    """What a window took: seconds, CPU seconds by process group, CPU seconds of everything else."""

    seconds: float
    cpu: Mapping[str, float]
    foreign: float

    @property
    def foreign_cores(self) -> float:
        """Cores that everything else on the machine used."""
        return self.foreign / self.seconds if self.seconds else 0.0

    def __add__(self, other: "Use") -> "Use":
        cpu = {name: self.cpu[name] + other.cpu[name] for name in self.cpu}
        return Use(self.seconds + other.seconds, cpu, self.foreign + other.foreign)


class Meter:
    """Measures windows. `groups` are process families by name; this process is `client`."""

    def __init__(self, groups: Mapping[str, int]) -> None:
        self._groups = groups
        self._started = 0.0
        self._busy = 0.0
        self._cpu: dict[str, float] = {}

    def start(self) -> None:
        """A window begins."""
        self._cpu, self._busy = self._now(), busy_seconds()
        self._started = time.monotonic()

    def stop(self) -> Use:
        """It has ended."""
        seconds = time.monotonic() - self._started
        busy = busy_seconds() - self._busy
        cpu = {name: value - self._cpu[name] for name, value in self._now().items()}
        return Use(seconds, cpu, max(0.0, busy - sum(cpu.values())))

    def _now(self) -> dict[str, float]:
        now = {name: cpu_seconds(pid) for name, pid in self._groups.items()}
        return now | {"client": own_cpu_seconds()}


def _family(pid: int) -> list[int]:
    family = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            family += _family(int(child))
    return family
