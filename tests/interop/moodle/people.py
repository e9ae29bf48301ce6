"""The people of the run: plainly demo people, with names in several scripts."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """Somebody with an account in Moodle. `key` is how the steps call them."""

    key: str
    first: str
    last: str
    role: str
    """Moodle's short name of the role in the course."""
    username: str
    password: str

    @property
    def name(self) -> str:
        """As Moodle writes it."""
        return f"{self.first} {self.last}"


_PEOPLE = (
    ("teacher", "Dana", "Demo-Coordinator", "editingteacher"),
    ("assistant", "Kai", "Demo-Assistant", "teacher"),
    ("latin", "Zoë", "Demo-Ångström & O'Test", "student"),
    ("japanese", "さくら", "デモ教師", "student"),
    ("arabic", "أمل", "معلمة تجريبية", "student"),
    ("greek", "Δήμητρα", "Δοκιμή", "student"),
)
LEARNERS = tuple(key for key, *_, role in _PEOPLE if role == "student")


def accounts(stamp: str, password: str) -> dict[str, Account]:
    """The accounts of one run; `stamp` keeps runs on one site apart."""
    made = [
        Account(key, first, last, role, f"mc-{key}-{stamp}", password) for key, first, last, role in _PEOPLE
    ]
    return {account.key: account for account in made}


def as_csv(people: Sequence[Account], course: str) -> bytes:
    """What Moodle's "Upload users" takes: the accounts, enrolled in the course with this short name."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("username", "password", "firstname", "lastname", "email", "course1", "role1"))
    for one in people:
        email = f"{one.username}@example.org"
        rows.writerow((one.username, one.password, one.first, one.last, email, course, one.role))
    return text.getvalue().encode()
