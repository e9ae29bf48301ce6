"""What anybody may read, without an account: verification pages and the documents of badges."""

from microcred.web.public.address import blueprint as address
from microcred.web.public.backpack_window import blueprint as backpack_window
from microcred.web.public.documents import blueprint as documents
from microcred.web.public.mail_choice import blueprint as mail_choice
from microcred.web.public.verify import blueprint as verify
from microcred.web.public.wallets import blueprint as wallets

__all__ = ["address", "backpack_window", "documents", "mail_choice", "verify", "wallets"]
