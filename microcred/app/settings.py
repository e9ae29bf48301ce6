"""Settings: environment variables `MICROCRED_*`, or the same names in a `.env` file. Read here and nowhere
else.
"""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from microcred.mail import address_of

LogFormat = Literal["console", "json"]


class Settings(BaseSettings):
    """What an operator can set. Raises pydantic.ValidationError with the setting's name and what is wrong."""

    model_config = SettingsConfigDict(env_prefix="MICROCRED_", env_file=".env", extra="ignore")

    public_url: str = "http://127.0.0.1:5000"
    """Origin of the tool as browsers and LMSs reach it; every public address is made from it."""
    badge_url: str | None = None
    """Origin under which badges live, where they must outlive the tool's host; default `public_url`."""
    secret_keys: Annotated[list[str], NoDecode] = Field(default_factory=list)
    """Comma separated, the first is current. The embedded default makes one in `data_dir`."""
    database_url: str | None = None
    """`postgresql://…`; default a SQLite file in `data_dir`."""
    redis_url: str | None = None
    storage_url: str | None = None
    """A folder, or `s3://…`; default a folder in `data_dir`."""
    data_dir: Path = Path("var")
    allow_hosts: Annotated[list[str], NoDecode] = Field(default_factory=list)
    """host[:port] names exempt from the ban on private addresses and plain http. Development only."""
    ca_bundle: Path | None = None
    """A file of certificate authorities to trust in place of the usual ones, where an LMS has its certificate
    from its district's own.
    """
    open_registration: bool = False
    rate_login: int = 6000
    rate_failed_launch: int = 600
    rate_register: int = 5
    mail_url: str | None = None
    """`smtp://user:password@host:587`, `smtps://…`, or `file:///folder`; without it nobody gets mail."""
    mail_from: str | None = None
    """The address mails come from; default `no-reply@` the host of `public_url`."""
    max_upload_mb: int = 2048
    """The largest file of evidence, in MiB."""
    clamd_url: str | None = None
    """`tcp://host:3310` or `unix:///path`: files stay locked away until this clamd finds nothing in them."""
    log_format: LogFormat = "console"
    metrics_addr: str | None = None
    """host:port for Prometheus; none by default."""
    trusted_proxies: int = 0
    """How many proxies in front set X-Forwarded-For; decides which address rate limits see."""
    worker_threads: int = 64
    in_flight: int = 8
    """Deliveries under way at once per registration, by all workers together."""
    per_second: float = Field(default=0.0, ge=0)
    """Deliveries begun in a second per registration, by all workers together; 0: as many as come."""

    @field_validator("secret_keys", "allow_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("public_url", "badge_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        value = value.rstrip("/")
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            raise ValueError("must be an origin such as https://credentials.example.org")
        return value

    @field_validator("database_url")
    @classmethod
    def _driver(cls, value: str | None) -> str | None:
        """An address as hosts hand it out names no driver; ours is psycopg."""
        for scheme in ("postgresql://", "postgres://"):
            if value is not None and value.startswith(scheme):
                return "postgresql+psycopg://" + value.removeprefix(scheme)
        if value is not None and not value.startswith(("postgresql+psycopg://", "sqlite:///")):
            raise ValueError("must be an address such as postgresql://user:password@host/name")
        return value

    @field_validator("metrics_addr")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        host, _, port = (value or "").rpartition(":")
        if value is not None and not (host and port.isdecimal() and int(port) < 65536):
            raise ValueError("must be host:port, such as 127.0.0.1:9100")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        if value is not None and address_of(value) is None:
            raise ValueError("must be an address such as no-reply@example.org")
        return value

    @model_validator(mode="after")
    def _production_needs_secrets(self) -> "Settings":
        if not self.embedded and not self.secret_keys:
            raise ValueError("MICROCRED_SECRET_KEYS is needed with MICROCRED_DATABASE_URL")
        return self

    @property
    def embedded(self) -> bool:
        """Whether this is the embedded default: one process and SQLite."""
        return self.database_url is None or self.database_url.startswith("sqlite:")

    @property
    def effective_database_url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'microcred.db'}"

    @property
    def effective_storage_url(self) -> str:
        """Where files go."""
        return self.storage_url or str(self.data_dir.absolute() / "files")

    @property
    def effective_mail_from(self) -> str:
        """The sender of mails."""
        host = urlsplit(self.public_url).hostname or ""
        named = "." in host and not host.rpartition(".")[2].isdecimal()
        return self.mail_from or f"no-reply@{host if named else 'localhost.localdomain'}"

    @property
    def effective_badge_url(self) -> str:
        """Origin of badge addresses."""
        return self.badge_url or self.public_url
