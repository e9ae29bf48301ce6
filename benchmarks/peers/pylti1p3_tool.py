"""A Flask tool on PyLTI1p3 at its best setting: launch data and platform keys kept in Redis by Flask-Caching.

Run by gunicorn with one gthread worker and keep-alive. Reads BENCH_PEER (JSON: issuer, client_id, platform,
redis_port, private_key, public_key) from the environment.
"""

import json
import os

from flask import Flask, request
from flask_caching import Cache
from pylti1p3.contrib.flask import FlaskCacheDataStorage, FlaskMessageLaunch, FlaskOIDCLogin, FlaskRequest
from pylti1p3.tool_config import ToolConfDict

given = json.loads(os.environ["BENCH_PEER"])
tool = ToolConfDict(
    {
        given["issuer"]: [
            {
                "default": True,
                "client_id": given["client_id"],
                "auth_login_url": given["platform"] + "/auth",
                "auth_token_url": given["platform"] + "/token",
                "key_set_url": given["platform"] + "/jwks",
                "deployment_ids": ["1"],
            }
        ]
    }
)
tool.set_private_key(given["issuer"], given["private_key"], client_id=given["client_id"])
tool.set_public_key(given["issuer"], given["public_key"], client_id=given["client_id"])

app = Flask(__name__)
app.secret_key = given["issuer"]
cache = Cache(
    app,
    config={
        "CACHE_TYPE": "RedisCache",
        "CACHE_REDIS_HOST": "127.0.0.1",
        "CACHE_REDIS_PORT": given["redis_port"],
    },
)
page = app.jinja_env.from_string("<!doctype html><title>{{ title }}</title><p>{{ name }} {{ launch }}</p>")


@app.get("/ping")
def ping() -> str:
    """The least that this server can do."""
    return "pong"


@app.get("/login")
def login():  # type: ignore[no-untyped-def]
    """Login initiation."""
    storage = FlaskCacheDataStorage(cache)
    flow = FlaskOIDCLogin(FlaskRequest(), tool, launch_data_storage=storage)
    return flow.redirect(request.args["target_link_uri"])


@app.post("/launch")
def launch() -> str:
    """The launch: every check of the library, its data kept in Redis, a small page."""
    storage = FlaskCacheDataStorage(cache)
    message = FlaskMessageLaunch(FlaskRequest(), tool, launch_data_storage=storage)
    message.set_public_key_caching(storage, cache_lifetime=7200)
    claims = message.get_launch_data()
    link = claims["https://purl.imsglobal.org/spec/lti/claim/resource_link"]
    return page.render(title=link["title"], name=claims.get("name"), launch=message.get_launch_id())
