"""The blueprint of the approvers' pages, on both surfaces below `approve/`."""

from flask import Blueprint

blueprint = Blueprint("approve", __name__, url_prefix="/approve")
