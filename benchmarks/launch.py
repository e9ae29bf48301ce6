"""Full launches in a second, on one core: ours beside PyLTI1p3 at its best setting and ltijs.

A launch is the login request and the form_post with a freshly signed token, up to the answer that makes the
session. Signing is a phase of its own and not counted. The tool has a core to itself; client, platform,
PostgreSQL and Redis share the other. Windows of all tools take turns.
"""

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from benchmarks import machine, results
from benchmarks.browser import Afterwards, Answer, Connection, all_of, get, post
from benchmarks.engines import (
    PEERS,
    ROOT,
    TOOLS,
    Stores,
    cores,
    environment,
    ports,
    process,
    serve_stores_on,
    stores,
    stub,
)
from benchmarks.issuer import CLIENT, ISSUER, SCOPES, KeyPair, launch_claims

IN_FLIGHT = 4
PEOPLE = 200
"""Returning people, over 10 courses with 5 links each."""
PUBLIC = "https://tool.bench.test"
_LOOK_EVERY = 20
"""Of so many launches one is looked up from another connection as soon as its answer is here."""


@dataclass(frozen=True)
class Person:
    """Who launches, and where."""

    name: str
    course: str
    link: str


@dataclass(frozen=True)
class Tool:
    """A tool under measurement."""

    port: int
    target: str
    login: str
    launch: str
    made: int
    """The status with which a session is made."""
    pid: int
    headers: Sequence[str] = ()
    look: Callable[[Answer], None] | None = None
    """Checks that the launch of an answer is really there."""


@dataclass(frozen=True)
class Variant:
    """What one line of the table measures."""

    tool: Tool
    people: Callable[[int], Sequence[Person]]
    count: int
    headers: Sequence[str] = ()


def returning(count: int) -> list[Person]:
    """People whom every tool has seen before, in their courses."""
    return [Person(f"person-{i % PEOPLE}", f"course-{i % 10}", f"link-{i % 50}") for i in range(count)]


def newcomers() -> Callable[[int], list[Person]]:
    """People who were never seen, each in a new course by a new link."""
    numbers = itertools.count()

    def some(count: int) -> list[Person]:
        return [Person(f"new-{i}", f"new-{i}", f"new-{i}") for i in itertools.islice(numbers, count)]

    return some


# One window


class Refused(Exception):
    """A tool did not accept a launch; the message says what it answered."""


async def window(variant: Variant, key: KeyPair, services: str, meter: machine.Meter) -> dict[str, Any]:
    """One window: logins, signing (not counted), launches."""
    tool, people = variant.tool, variant.people(variant.count)
    connections = [Connection(tool.port) for _ in range(IN_FLIGHT)]
    host, headers = urlsplit(tool.target).netloc, [*tool.headers, *variant.headers]
    started: list[Answer] = [Answer(0, "", (), b"")] * len(people)

    async def log_in(i: int, connection: Connection) -> None:
        asked = {
            "iss": ISSUER,
            "client_id": CLIENT,
            "login_hint": people[i].name,
            "lti_message_hint": people[i].link,
            "lti_deployment_id": "1",
            "target_link_uri": tool.target,
        }
        answer = await connection.send(get(host, f"{tool.login}?{urlencode(asked)}", headers))
        if answer.status == 302 and urlsplit(answer.location).netloc == host:
            check = urlsplit(answer.location)
            cookies = answer.cookies
            answer = await connection.send(get(host, f"{check.path}?{check.query}", headers, cookies))
            answer = Answer(answer.status, answer.location, cookies, answer.body)
        if answer.status != 302:
            raise Refused(f"login: {answer.status} {answer.body[:300]!r}")
        started[i] = answer

    try:
        meter.start()
        log_ins = await all_of(len(people), connections, log_in)
        use = meter.stop()
        requests = [
            _form(tool, host, headers, person, answer, key, services)
            for person, answer in zip(people, started, strict=True)
        ]

        async def launch(i: int, connection: Connection) -> Afterwards | None:
            answer = await connection.send(requests[i])
            if answer.status != tool.made:
                raise Refused(f"launch: {answer.status} {answer.body[:300]!r}")
            if tool.look is None or i % _LOOK_EVERY:
                return None
            return partial(tool.look, answer)

        meter.start()
        launches = await all_of(len(people), connections, launch)
        use += meter.stop()
    finally:
        for connection in connections:
            connection.close()
    return _measured(use, log_ins, launches)


def _form(
    tool: Tool,
    host: str,
    headers: Sequence[str],
    person: Person,
    login: Answer,
    key: KeyPair,
    services: str,
) -> bytes:
    asked = parse_qs(urlsplit(login.location).query)
    claims = launch_claims(
        person.name,
        person.course,
        person.link,
        nonce=asked["nonce"][0],
        target=tool.target,
        services=services,
    )
    form = urlencode({"id_token": key.sign(claims), "state": asked["state"][0]})
    return post(host, tool.launch, form, headers, login.cookies)


def _measured(use: machine.Use, log_ins: Sequence[float], launches: Sequence[float]) -> dict[str, Any]:
    count = len(launches)
    whole = sorted(a + b for a, b in zip(log_ins, launches, strict=True))
    return {
        "launches_per_s": count / use.seconds,
        "p50_ms": whole[count // 2] * 1000,
        "p99_ms": whole[min(count - 1, int(count * 0.99))] * 1000,
        "tool_cpu_ms": use.cpu["tool"] * 1000 / count,
        "postgres_cpu_ms": use.cpu["postgres"] * 1000 / count,
        "redis_cpu_ms": use.cpu["redis"] * 1000 / count,
        "client_cpu_ms": use.cpu["client"] * 1000 / count,
        "foreign_cores": use.foreign_cores,
    }


# The tools


@contextmanager
def ours(
    stack: Stores, platform_port: int, core: int, more: Mapping[str, str] | None = None
) -> Iterator[Tool]:
    """`microcred serve --no-worker`, one process, with PostgreSQL and Redis behind it."""
    platform = f"http://127.0.0.1:{platform_port}"
    (port,) = ports(1)
    with stack.database() as url:
        env = environment(stack, url, PUBLIC, [f"127.0.0.1:{platform_port}"], **(more or {}))
        command = [sys.executable, "-m", "microcred.app"]
        added = [
            *("platform", "add", "--name", "Platform", "--lms", "other", "--issuer", ISSUER),
            *("--client-id", CLIENT, "--auth-url", f"{ISSUER}/auth", "--token-url", f"{platform}/token"),
            *("--jwks-url", f"{platform}/jwks", "--deployment-id", "1", "--json"),
        ]
        for arguments in (["db", "upgrade"], added):
            subprocess.run([*command, *arguments], env=env, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        serving = [*command, "serve", "--no-worker", "--port", str(port)]
        address = f"http://127.0.0.1:{port}/healthz"
        with process(serving, env=env, core=core, address=address) as started, stack.connect(url) as reader:

            def look(answer: Answer) -> None:
                launch_id = urlsplit(answer.location).path.split("/")[2]
                found = reader.execute(
                    "SELECT count(*) FROM launch WHERE public_id = %s", (launch_id,)
                ).fetchone()
                if found != (1,):
                    raise Refused("a launch was answered before its row could be read")

            yield Tool(
                port=port,
                target=f"{PUBLIC}/lti/launch",
                login="/lti/login",
                launch="/lti/launch",
                made=303,
                pid=started.pid,
                headers=("X-Forwarded-Proto: https",),
                look=look,
            )


@contextmanager
def pylti1p3(stack: Stores, platform_port: int, core: int) -> Iterator[Tool]:
    """PyLTI1p3 in Flask under gunicorn: one gthread worker, keep-alive, keys and launch data in Redis."""
    (port,) = ports(1)
    keys = KeyPair()
    given = {
        "issuer": ISSUER,
        "client_id": CLIENT,
        "platform": f"http://127.0.0.1:{platform_port}",
        "redis_port": stack.redis.port,
        "private_key": keys.private_pem,
        "public_key": keys.public_pem,
    }
    command: list[str | Path] = [
        *(TOOLS / "python/bin/python", "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1"),
        *("--worker-class", "gthread", "--threads", "4", "--keep-alive", "15", "--log-level", "error"),
        *("--chdir", PEERS, "pylti1p3_tool:app"),
    ]
    env = {**os.environ, "BENCH_PEER": json.dumps(given)}
    with process(command, env=env, core=core, address=f"http://127.0.0.1:{port}/ping") as started:
        yield _peer(port, 200, started.pid)


@contextmanager
def ltijs(stack: Stores, platform_ports: Sequence[int], core: int | None) -> Iterator[Tool]:
    """ltijs on PostgreSQL, one process."""
    (port,) = ports(1)
    with stack.database(name="bench_ltijs"):
        given = {
            "port": port,
            "pg_port": stack.postgres.port,
            "database": "bench_ltijs",
            "issuer": ISSUER,
            "client_id": CLIENT,
            "platforms": [f"http://127.0.0.1:{each}" for each in platform_ports],
        }
        own_node = TOOLS / "node" / "node"
        command: list[str | Path] = [own_node if own_node.exists() else "node", PEERS / "ltijs.js"]
        env = {
            **os.environ,
            "BENCH_PEER": json.dumps(given),
            "NODE_PATH": str(TOOLS / "node/node_modules"),
            "NODE_ENV": "production",
        }
        with process(command, env=env, core=core, ready="ready") as started:
            yield _peer(port, 302, started.pid)


def _peer(port: int, made: int, pid: int) -> Tool:
    return Tool(port, f"http://127.0.0.1:{port}/launch", "/login", "/launch", made, pid)


# The run

FULL = {"rounds": 5, "count": 1200, "patience": 10.0}
QUICK = {"rounds": 1, "count": 60, "patience": 0.0}


def run(*, rounds: int, count: int, patience: float) -> dict[str, Any]:
    """Measure all, taking turns; the result."""
    machine.prefer()
    tool_core, other_core = cores()
    key = KeyPair()
    with ExitStack() as stack:
        engines = stack.enter_context(stores())
        serve_stores_on(engines, other_core)
        (port,) = ports(1)
        platform = stack.enter_context(stub([port], jwks=key.jwks, core=other_core, scopes=SCOPES))
        tools = {
            "ours": stack.enter_context(ours(engines, port, tool_core)),
            "pylti1p3_best": stack.enter_context(pylti1p3(engines, port, tool_core)),
            "ltijs": stack.enter_context(ltijs(engines, [port], tool_core)),
        }
        machine.pin(other_core)
        variants = {
            "returning": Variant(tools["ours"], returning, count),
            "pylti1p3_best": Variant(tools["pylti1p3_best"], returning, count),
            "first": Variant(tools["ours"], newcomers(), count),
            "returning_framed": Variant(
                tools["ours"], returning, count, ("Sec-Fetch-Dest: iframe", "User-Agent: Mozilla/5.0")
            ),
            "ltijs": Variant(tools["ltijs"], returning, max(40, count // 3)),
        }
        windows = _windows(variants, key, port, platform.pid, engines, rounds, patience)
    return _result({name: results.middle(measured) for name, measured in windows.items()})


def _windows(
    variants: Mapping[str, Variant],
    key: KeyPair,
    port: int,
    platform_pid: int,
    engines: Stores,
    rounds: int,
    patience: float,
) -> dict[str, list[dict[str, Any]]]:
    services = f"http://127.0.0.1:{port}"
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in variants}
    for number in range(-1, rounds):
        for name, variant in variants.items():
            meter = machine.Meter(
                {
                    "tool": variant.tool.pid,
                    "platform": platform_pid,
                    "postgres": engines.postgres.pid,
                    "redis": engines.redis.pid,
                }
            )
            if number >= 0:
                machine.wait_until_quiet(patience)
            seen = asyncio.run(window(variant, key, services, meter))
            if number < 0:
                continue  # warm-up: people become known, node compiles
            measured[name].append(seen)
            print(
                f"round {number + 1} {name}: {seen['launches_per_s']:.0f}/s,"
                f" p99 {seen['p99_ms']:.1f} ms, others used {seen['foreign_cores']:.2f} cores",
                file=sys.stderr,
            )
    return measured


def _result(medians: dict[str, dict[str, Any]]) -> dict[str, Any]:
    ours_: dict[str, dict[str, Any]] = {}
    peers: dict[str, dict[str, Any]] = {}
    for name, row in medians.items():
        (peers if name in ("pylti1p3_best", "ltijs") else ours_)[name] = row
    returning_, first = ours_["returning"]["launches_per_s"], ours_["first"]["launches_per_s"]
    verifies = machine.rsa_verifies_per_second()
    return results.result(
        "launch",
        ours=ours_,
        peers=peers,
        ratios={
            "pylti1p3_best": returning_ / peers["pylti1p3_best"]["launches_per_s"],
            "ltijs": returning_ / peers["ltijs"]["launches_per_s"],
            "first_to_pylti1p3_best": first / peers["pylti1p3_best"]["launches_per_s"],
        },
        cpu_ratios={
            name: round(peers["pylti1p3_best"]["tool_cpu_ms"] / ours_[name]["tool_cpu_ms"], 3)
            for name in ("returning", "first")
        },
        in_flight=IN_FLIGHT,
        rsa_verifies_per_s=round(verifies),
        launches_to_rsa_limit=round(verifies / returning_),
        notes=[
            "ratios.pylti1p3_best and ratios.ltijs: returning people, launches in a second.",
            "Ours: every check on, PostgreSQL with fsync; one launch in"
            f" {_LOOK_EVERY} was read back from another connection when its 303 arrived, all were there.",
            "returning_framed: the login runs in a frame without a cookie, so one more redirect asks whether"
            " cookies come back.",
            "PyLTI1p3 stores nothing in a database.",
            "cpu_ratios: CPU of PyLTI1p3's process for a launch to that of ours; others on the machine"
            " disturb it less than the rate.",
        ],
    )


COLUMNS = {
    "launches_per_s": "launches/s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "tool_cpu_ms": "tool CPU ms",
    "postgres_cpu_ms": "PostgreSQL CPU ms",
    "redis_cpu_ms": "Redis CPU ms",
    "windows": "windows",
    "quiet_windows": "quiet",
}
