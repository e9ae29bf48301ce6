"""Badges: signatures in a second of one core, and whole awards by two workers.

*Signing*: the same credential (3.0) of about 60 statements, with the same key and moment, by us, by PyLD's
general path and by two libraries in processes of their own; all must give the same signature, byte for byte.
By us also a whole one, with every level of its rubric. *Awards*: rows of the outbox, from letting them go to
the last stored badge: both versions written and signed, baked, stored.
"""

import copy
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import base58
from pyld import jsonld
from sqlalchemy import select

from benchmarks import award_rows, machine, results
from benchmarks.engines import PEERS, SECRET, TOOLS, Stores, environment, process, stores
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble
from microcred.badges import integrity, keys, lifecycle
from microcred.badges.linked_data import canonical_nquads
from microcred.badges.models import Badge
from microcred.badges.vocabulary import context_document
from microcred.outbox.admin import start_destination

WORKERS = 2
PUBLIC = "https://badges.example.org"
FULL = {"rounds": 3, "count": 10_000, "signatures": 2_000, "patience": 8.0}
QUICK = {"rounds": 1, "count": 200, "signatures": 50, "patience": 0.0}
STATEMENTS = 60
"""What a credential of common size says; known figures of others are for one of this size."""
COLUMNS = {
    "statements": "statements",
    "per_s": "in a second",
    "cpu_ms": "CPU ms each",
    "seconds": "seconds for all",
    "count": "count",
    "peak_mib": "peak MiB",
    "windows": "windows",
    "quiet_windows": "quiet",
}
_KEY = keys.IssuerKey.from_raw(bytes(range(32)))
_WHEN = datetime(2026, 9, 12, 15, 0, tzinfo=UTC)
_GIVE_UP = 900.0


class NotTheSame(Exception):
    """Somebody signed something else, or badges are missing; the message says what."""


@dataclass(frozen=True)
class Bench:
    """What every window of a run uses."""

    stores: Stores
    template: str
    """The database that windows copy: awards whose badges wait."""
    document: dict[str, Any]
    """A credential of one of them, unsigned, cut to about STATEMENTS statements."""
    whole: dict[str, Any]
    """The same uncut."""
    count: int
    signatures: int
    patience: float


def method_of(document: dict[str, Any]) -> str:
    """The verification method that all sign with."""
    return f"{document['issuer']['id']}#{_KEY.multibase}"


def ours(bench: Bench, document: dict[str, Any]) -> dict[str, Any]:
    """Signing as the tool does."""
    method = method_of(document)
    return _signing(bench, document, lambda: integrity.sign(document, _KEY, method, _WHEN), bench.signatures)


def general(bench: Bench) -> dict[str, Any]:
    """The same with PyLD alone: contexts resolved, expanded and canonicalised by the general processor."""
    document = bench.document
    return _signing(
        bench, document, lambda: signed_by_pyld(document, method_of(document)), bench.signatures // 20
    )


def signed_by_pyld(document: dict[str, Any], method: str) -> dict[str, Any]:
    """A signed copy, by nothing but PyLD and cryptography."""
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": _WHEN.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    options = {"@context": document["@context"], **proof}
    digests = [hashlib.sha256(_by_pyld(one)).digest() for one in (options, document)]
    value = "z" + base58.b58encode(_KEY.sign(b"".join(digests))).decode()
    return {**document, "proof": {**proof, "proofValue": value}}


def _by_pyld(document: dict[str, Any]) -> bytes:
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": _load}
    text: str = jsonld.normalize(document, options)
    return text.encode()


def _load(url: str, _options: dict[str, Any]) -> dict[str, Any]:
    document = context_document(url)
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": document,
    }


def _signing(
    bench: Bench, document: dict[str, Any], sign: Callable[[], dict[str, Any]], count: int
) -> dict[str, Any]:
    count = max(5, count)
    _same(document, sign()["proof"]["proofValue"])
    machine.wait_until_quiet(bench.patience)
    meter = machine.Meter({})
    meter.start()
    before, started = machine.own_cpu_seconds(), time.monotonic()
    for _ in range(count):
        sign()
    seconds, cpu = time.monotonic() - started, machine.own_cpu_seconds() - before
    foreign = meter.stop().foreign_cores
    return _row(count, seconds, cpu) | {"foreign_cores": foreign, "statements": _statements(document)}


def peer(bench: Bench, library: str) -> dict[str, Any]:
    """A library in a process of its own."""
    machine.wait_until_quiet(bench.patience)
    given: dict[str, Any] = {
        "library": library,
        "document": bench.document,
        "seed": bytes(range(32)).hex(),
        "method": method_of(bench.document),
        "created": _WHEN.isoformat(),
        "count": max(5, bench.signatures // 50),
    }
    done = subprocess.run(
        [str(TOOLS / "python/bin/python"), str(PEERS / "badges_sign.py")],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=_GIVE_UP,
    )
    took = json.loads(done.stdout)
    _same(bench.document, took["proof_value"])
    row = _row(given["count"], took["seconds"], took["cpu"])
    return row | {
        "peak_mib": took["peak_mib"],
        "statements": _statements(bench.document),
        "foreign_cores": max(0.0, 1.0 - took["cpu"] / took["seconds"]),
    }


def _statements(document: dict[str, Any]) -> int:
    return canonical_nquads(document).count(b"\n")


def shortened(document: dict[str, Any]) -> dict[str, Any]:
    """A copy that says about STATEMENTS things: from the end left out are criteria with their
    results, then standards, then levels.
    """
    short: dict[str, Any] = copy.deepcopy(document)
    subject = short["credentialSubject"]
    criteria = subject["achievement"]["resultDescription"]
    while _statements(short) > STATEMENTS and len(criteria) > 1:
        gone = criteria.pop()["id"]
        subject["result"] = [one for one in subject["result"] if one["resultDescription"] != gone]
    for further in (subject["achievement"].get("alignment", []), criteria[0]["rubricCriterionLevel"]):
        while _statements(short) > STATEMENTS and len(further) > 1:
            further.pop()
    return short


def _same(document: dict[str, Any], value: str) -> None:
    """Whether a signature is the one of the general path."""
    if value != signed_by_pyld(document, method_of(document))["proof"]["proofValue"]:
        raise NotTheSame("a signature differs from PyLD's")


def awards(bench: Bench) -> dict[str, Any]:
    """One window: every waiting badge, from letting them go to the last one stored."""
    bench.stores.forget()
    with bench.stores.database(bench.template) as url, _workers(bench, url) as pids:
        machine.wait_until_quiet(bench.patience)
        names = {f"worker{number}": pid for number, pid in enumerate(pids)}
        meter = machine.Meter({**names, "postgres": bench.stores.postgres.pid})
        with _assembly(bench.stores, url) as app:
            meter.start()
            with app.database.writing() as session:
                start_destination(session, lifecycle.DESTINATION)
            _wait_for(bench, url, b"SELECT count(*) FROM badge WHERE issued_at IS NOT NULL", bench.count)
            use = meter.stop()
            _check_one(app)
        cpu = sum(use.cpu[name] for name in names)
        return _row(bench.count, use.seconds, cpu) | {
            "peak_mib": max(machine.peak_mib(pid) for pid in pids),
            "foreign_cores": use.foreign_cores,
        }


def _check_one(app: Assembly) -> None:
    """The newest badge holds, and its picture is there."""
    with app.database.reading() as session:
        badge = session.scalars(select(Badge).order_by(Badge.id.desc()).limit(1)).one()
    assert badge.ob3 is not None
    method = badge.ob3["proof"]["verificationMethod"]
    integrity.verify(badge.ob3, keys.PublicKey.from_multibase(method.partition("#")[2]))
    app.badges.baked(badge.public_id)


def _row(count: int, seconds: float, cpu: float) -> dict[str, Any]:
    return {"per_s": count / seconds, "cpu_ms": cpu * 1000 / count, "seconds": seconds, "count": count}


@contextmanager
def _workers(bench: Bench, url: str) -> Iterator[list[int]]:
    env = environment(bench.stores, url, PUBLIC, [])
    with ExitStack() as stack:
        command = [sys.executable, "-m", "microcred.app", "worker"]
        pids = [stack.enter_context(process(command, env=env)).pid for _ in range(WORKERS)]
        _wait_for(bench, url, b"SELECT count(*) FROM outbox_worker", WORKERS)
        time.sleep(6.0)  # each divides the limits by those it saw with its last sign of life
        yield pids


def _wait_for(bench: Bench, url: str, query: bytes, count: int) -> None:
    """Until a query counts so many. Raises NotTheSame where that takes too long."""
    until = time.monotonic() + _GIVE_UP
    with bench.stores.connect(url) as connection:
        while (connection.execute(query).fetchone() or (0,))[0] < count:
            if time.monotonic() > until:
                raise NotTheSame("badges are missing, or workers")
            time.sleep(0.05)


@contextmanager
def _assembly(stores_: Stores, url: str) -> Iterator[Assembly]:
    settings = Settings(
        _env_file=None,
        public_url=PUBLIC,
        database_url=url,
        secret_keys=[SECRET],
        storage_url=str(stores_.folder / "files"),
        data_dir=stores_.folder,
        allow_hosts=["127.0.0.1"],
    )
    made = assemble(settings)
    try:
        yield made
    finally:
        made.close()


def _document_of(engines: Stores, template: str) -> dict[str, Any]:
    """The credential of one award, unsigned: issued once in a copy of the database."""
    with engines.database(template) as url, _assembly(engines, url) as app:
        with app.database.writing() as session:
            start_destination(session, lifecycle.DESTINATION)
        worker = app.make_worker()
        worker.run_due()
        with app.database.reading() as session:
            signed = session.scalars(select(Badge.ob3).where(Badge.ob3.is_not(None)).limit(1)).one()
    assert signed is not None
    return {name: value for name, value in signed.items() if name != "proof"}


def run(*, rounds: int, count: int, signatures: int, patience: float) -> dict[str, Any]:
    """Measure all, taking turns; the result."""
    machine.prefer()
    with ExitStack() as stack:
        engines = stack.enter_context(stores())
        small = stack.enter_context(engines.database(name="bench_badges_one"))
        with _assembly(engines, small) as app:
            award_rows.fill(app, 1)
        document = _document_of(engines, "bench_badges_one")
        template = stack.enter_context(engines.database(name="bench_badges"))
        with _assembly(engines, template) as app:
            award_rows.fill(app, count)
        bench = Bench(engines, "bench_badges", shortened(document), document, count, signatures, patience)
        variants: dict[str, Callable[[], dict[str, Any]]] = {
            "signing": lambda: ours(bench, bench.document),
            "signing_whole": lambda: ours(bench, bench.whole),
            "awards_two_workers": lambda: awards(bench),
            "pyld": lambda: general(bench),
            "openvc": lambda: peer(bench, "openvc"),
            "openbadgeslib": lambda: peer(bench, "openbadgeslib"),
        }
        windows: dict[str, list[dict[str, Any]]] = {name: [] for name in variants}
        for number in range(rounds):
            for name, measure in variants.items():
                seen = measure()
                windows[name].append(seen)
                print(
                    f"round {number + 1} {name}: {seen['per_s']:.0f}/s, {seen['cpu_ms']:.2f} ms of CPU,"
                    f" others used {seen['foreign_cores']:.2f} cores",
                    file=sys.stderr,
                )
    return _result({name: results.middle(each) for name, each in windows.items()})


def _result(seen: dict[str, dict[str, Any]]) -> dict[str, Any]:
    signing = seen["signing"]
    own = ("signing", "signing_whole", "awards_two_workers")
    others = {name: row for name, row in seen.items() if name not in own}
    return results.result(
        "badges",
        ours={name: seen[name] for name in own},
        peers=others,
        # Of CPU, theirs to ours: how many of ours in the time of one of theirs.
        ratios={name: row["cpu_ms"] / signing["cpu_ms"] for name, row in others.items()},
        notes=[
            "Every signature equals that of PyLD alone, byte for byte.",
            f"All libraries sign the credential of {signing['statements']:.0f} statements; `signing_whole` is"
            " ours of the uncut one, which every award of `awards_two_workers` has.",
            f"An award: {WORKERS} workers on PostgreSQL; OB 2.0 and 3.0 written, signed, baked and stored.",
        ],
    )
