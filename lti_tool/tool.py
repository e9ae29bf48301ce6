"""The LTI tool as one object, made once by the application and passed to whoever needs it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import redis

from lti_tool.cache import Cache, InProcessCache, RedisCache
from lti_tool.dynamic_registration import DynamicRegistrations
from lti_tool.facts import RegistrationFacts
from lti_tool.jwks import PlatformKeys
from lti_tool.keys import ToolKeys, fresh_id
from lti_tool.launch import Launches
from lti_tool.limits import RateLimit
from lti_tool.login import Logins
from lti_tool.models import Registration
from lti_tool.notices import Notices
from lti_tool.protocol.connector import ServiceClient
from lti_tool.recording import Recorder
from lti_tool.remembered import Remembered
from lti_tool.services import Services, TokenSource
from lti_tool.sessions import Sessions
from lti_tool.settings import LtiSettings
from lti_tool.state import States
from lti_tool.subscribing import Subscriptions
from microcred.database import Clock, Database
from microcred.outgoing import Outgoing
from microcred.sealing import Keyring

MESSAGE_LIFETIME = timedelta(minutes=5)


class LtiTool:
    """Everything LTI. Thread-safe; holds no request's data."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        clock: Clock,
        outgoing: Outgoing,
        settings: LtiSettings,
        cache: "redis.Redis | None" = None,
    ) -> None:
        """`cache` is the Redis that several processes share; without one, each process keeps its own."""
        shared: Cache = InProcessCache(clock) if cache is None else RedisCache(cache, clock)
        self.cache = shared
        """What processes share and may lose at any moment."""
        self.database = database
        self.keyring = keyring
        self.clock = clock
        self.settings = settings
        self.keys = ToolKeys(database, keyring, clock)
        self.platform_keys = PlatformKeys(outgoing, shared, clock)
        self.states = States(keyring, clock)
        remembered = Remembered(database)
        self.logins = Logins(remembered, self.states, settings)
        self.launches = Launches(
            remembered,
            self.states,
            self.platform_keys,
            Recorder(database, clock),
            clock,
            settings.allow_hosts,
            Subscriptions(database, clock),
        )
        prefix = urlsplit(settings.base).path
        self.sessions = Sessions(database, keyring, clock, settings.allow_hosts, prefix)
        self.services = Services(outgoing, TokenSource(outgoing, self.keys, keyring, shared, clock))
        self.dynamic_registrations = DynamicRegistrations(database, outgoing, keyring, clock, settings)
        self.notices = Notices(database, self.platform_keys, clock)
        self.login_limit = RateLimit(shared, clock, "login", settings.rate_login)
        self.failed_launch_limit = RateLimit(shared, clock, "failed-launch", settings.rate_failed_launch)
        self.register_limit = RateLimit(shared, clock, "register", settings.rate_register)

    def client_for(self, registration: Registration | RegistrationFacts) -> ServiceClient:
        """The client of a registration's services (AGS, NRPS)."""
        return ServiceClient(self.services.caller_for(registration))

    def sign_message(self, registration: RegistrationFacts, claims: Mapping[str, Any]) -> str:
        """A tool-originating message (Security Framework 5.2): `claims` in their envelope, signed.

        Schoology refuses one without `nonce`, Canvas looks the tool up by `iss`, Moodle allows no leeway.
        """
        envelope = {"iss": registration.client_id, "aud": registration.issuer, "nonce": fresh_id()}
        return self.keys.sign_now({**claims, **envelope}, MESSAGE_LIFETIME)
