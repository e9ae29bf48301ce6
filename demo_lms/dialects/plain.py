"""The plain specification: strict wherever 1EdTech's documents say must."""

from __future__ import annotations

from .base import Dialect

PLAIN = Dialect(name="plain", title="Plain LTI 1.3", product_family_code="demo-lms")
