"""Logs: structlog and the standard library's, both to stderr, as lines for people or as JSON.

Stdout belongs to what a command was asked for.
"""

import logging
import sys

import structlog

from microcred.app.settings import LogFormat


def configure(log_format: LogFormat) -> None:
    """`json` gives one JSON object a line, other libraries' messages too; `console` gives readable lines."""
    first: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.types.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=False)]
    )
    structlog.configure(
        processors=[*first, *last],
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        # Looked up at every line: whoever replaces stderr (a test, a supervisor) is followed.
        cache_logger_on_first_use=False,
    )
    _take_over(
        structlog.stdlib.ProcessorFormatter(processors=[_without_record, *last], foreign_pre_chain=first)
    )


class _Handler(logging.Handler):
    """Whatever stderr is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def _take_over(formatter: logging.Formatter) -> None:
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Handler)]:
        root.removeHandler(handler)
    handler = _Handler()
    handler.setFormatter(formatter)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)


_without_record = structlog.stdlib.ProcessorFormatter.remove_processors_meta
