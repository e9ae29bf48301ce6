"""Figures for Prometheus, on an address of their own: `METRICS_ADDR` is for the operator's network alone."""

from collections.abc import Callable, Iterator
from wsgiref.simple_server import WSGIServer

from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Counter, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lti_tool.front import OpenedWithoutCookie, decision_of
from microcred import outbox
from microcred.database import Clock, Database

_LAUNCHES = ("lti.launch", "lti.deep_link")


class Metrics:
    """What one process counts. Labels name endpoints, codes and states; no person, course or platform."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "microcred_requests",
            "Requests answered, by endpoint and status",
            ("endpoint", "status"),
            registry=self._registry,
        )
        self._launches = Counter(
            "microcred_launches",
            "Launches accepted, or refused by code",
            ("result",),
            registry=self._registry,
        )
        self._deliveries = Counter(
            "microcred_deliveries",
            "Jobs done, by kind and outcome",
            ("kind", "outcome"),
            registry=self._registry,
        )
        self._registry.register(_Outbox(database, clock))

    def watch(self, app: Flask) -> None:
        """Count the requests of `app`."""
        app.after_request(self._count)

    def counting(self, kind: str, handler: outbox.Handler) -> outbox.Handler:
        """`handler`, its outcomes counted."""

        def counted(job: outbox.Job) -> outbox.Outcome:
            outcome = handler(job)
            self._deliveries.labels(kind, type(outcome).__name__.lower()).inc()
            return outcome

        return counted

    def serve(self, address: str) -> Callable[[], None]:
        """Answer at `http://<host:port>/metrics`; gives the function that ends it. Raises OSError."""
        host, _, port = address.rpartition(":")
        server: WSGIServer
        server, thread = start_http_server(int(port), addr=host.strip("[]"), registry=self._registry)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop

    def answered(self, endpoint: str, status: int) -> None:
        """Count an answer that was given before the app saw the request: a login or a launch that led on."""
        self._requests.labels(endpoint, str(status)).inc()
        if endpoint in _LAUNCHES:
            self._launches.labels("accepted").inc()

    def _count(self, response: Response) -> Response:
        self._requests.labels(request.endpoint or "none", str(response.status_code)).inc()
        if request.endpoint in _LAUNCHES:
            code = response.headers.get("X-LTI-Error")
            # 200 also carries the page that asks the platform's frame for the browser binding: no launch yet.
            if code or isinstance(decision_of(request.environ), OpenedWithoutCookie):
                self._launches.labels(code or "accepted").inc()
        return response


class _Outbox(Collector):
    """Rows of the outbox by state, counted when somebody looks."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def describe(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("microcred_outbox_rows", "Rows of the outbox that are not settled, by state")

    def collect(self) -> Iterator[Metric]:
        rows = GaugeMetricFamily(
            "microcred_outbox_rows", "Rows of the outbox that are not settled, by state", labels=("state",)
        )
        try:
            with self._database.reading() as session:
                found = outbox.status(session, now=self._clock.now())
        except (DBAPIError, PoolTimeout):
            return
        for state, count in sorted(found.counts.items()):
            rows.add_metric([state], count)
        yield rows
