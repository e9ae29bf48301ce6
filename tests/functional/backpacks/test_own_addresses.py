"""An address of one's own: confirmed by a mailed link, and the badge with its file goes there."""

import html
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import select

from microcred.badges.baking import extract
from microcred.badges.facts import identity_hash
from microcred.people.models import ContactAddress
from tests.functional.backpacks.conftest import Packs
from tests.hosts.badge_connect import BadgeConnectHost

MAIL = "pat@home.example"


def mails(packs: Packs) -> list[EmailMessage]:
    """What was mailed, oldest first."""
    folder: Path = packs.course.assembly.settings.data_dir / "mails"
    files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns) if folder.exists() else []
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def link(packs: Packs) -> str:
    """The path in the newest confirmation."""
    body = mails(packs)[-1].get_content()
    found: list[str] = re.findall(r"http://127\.0\.0\.1:5000(/address\?t=\S+)", body)
    return found[0]


def press(packs: Packs, path: str) -> Any:
    client = packs.course.app.test_client()
    headers = {"Sec-Fetch-Site": "same-origin"}
    return client.post("/address", data={"t": path.partition("t=")[2]}, headers=headers)


def confirmed(packs: Packs) -> int:
    """A person with a confirmed address; its id."""
    assert packs.teacher.post("badge/addresses", {"text-mail": MAIL}).status_code == 303
    packs.work()
    assert press(packs, link(packs)).status_code == 200
    with packs.course.assembly.database.reading() as session:
        row = session.scalars(select(ContactAddress)).one()
        assert row.confirmed_at is not None
        return row.id


def test_an_address_counts_once_its_owner_has_agreed(packs: Packs) -> None:
    packs.teacher.post("badge/addresses", {"text-mail": MAIL})
    packs.work()
    (mail,) = mails(packs)
    assert mail["To"] == MAIL
    page = packs.course.app.test_client().get(link(packs))
    assert "is to stand for Demo Teacher" in page.text
    assert "We mailed a link there" in packs.teacher.get("badge").text
    with packs.course.assembly.database.reading() as session:
        assert session.scalars(select(ContactAddress.confirmed_at)).one() is None  # scanners open links too
    assert "stands for Demo Teacher" in press(packs, link(packs)).text
    assert press(packs, link(packs)).status_code == 200
    assert "Confirmed" in packs.teacher.get("badge").text


def test_a_backpack_that_knows_the_person_by_it_takes_the_badge(packs: Packs) -> None:
    confirmed(packs)
    assert packs.teacher.post("badge/choices", {"by-email": "on"}).status_code == 303
    packs.work()
    host = BadgeConnectHost(fetch=packs.hosted, emails=(MAIL,))
    packs.connect(packs.serve(host))
    packs.work()
    assert packs.pushes() == [("sent", "made")]
    (assertion,) = host.assertions.values()
    recipient = assertion["recipient"]
    assert (recipient["type"], recipient["hashed"]) == ("email", True)
    assert recipient["identity"] == identity_hash(MAIL, recipient["salt"])


def test_the_badge_is_mailed_with_its_file_to_own_addresses_alone(packs: Packs) -> None:
    address = confirmed(packs)
    assert packs.teacher.post(f"badge/addresses/{address}/mail").status_code == 303
    packs.work()
    mail = mails(packs)[-1]
    (attachment,) = mail.iter_attachments()
    assert packs.award() in (extract(attachment.get_content()).ob3 or "")
    assert f"/badges/{packs.award()}" in mail.get_body().get_content()  # type: ignore[union-attr]
    assert packs.teacher.post("badge/addresses/999/mail").status_code == 404
    stranger = packs.course.visitor()
    stranger.get()
    assert stranger.post(f"badge/addresses/{address}/remove").status_code == 404


def test_a_removed_address_leaves_the_badge(packs: Packs) -> None:
    address = confirmed(packs)
    packs.teacher.post("badge/choices", {"by-email": "on", "shown-address": str(address)})
    packs.work()
    credential = packs.hosted(f"/ob/3.0/credentials/{packs.award()}") or {}
    assert credential["credentialSubject"]["id"] == f"mailto:{MAIL}"
    assert packs.teacher.post(f"badge/addresses/{address}/remove").status_code == 303
    packs.work()
    credential = packs.hosted(f"/ob/3.0/credentials/{packs.award()}") or {}
    assert "id" not in credential["credentialSubject"]
    kinds = [one["identityType"] for one in credential["credentialSubject"]["identifier"]]
    assert kinds == ["ltiUserId"]


def test_links_and_addresses_that_do_not_fit_are_refused(packs: Packs) -> None:
    for text, code in (("no address", "address_invalid"), ("a@b\nBcc: c@d.example", "address_invalid")):
        answer = packs.teacher.post("badge/addresses", {"text-mail": text})
        assert f'data-error="{code}"' in answer.text
    packs.teacher.post("badge/addresses", {"text-mail": MAIL})
    assert 'data-error="mailed_just_now"' in packs.teacher.post("badge/addresses", {"text-mail": MAIL}).text
    packs.work()
    path = link(packs)
    assert press(packs, f"/address?t={path.partition('t=')[2][:-4]}AAAA").status_code == 403
    client = packs.course.app.test_client()
    cross = client.post(
        "/address", data={"t": path.partition("t=")[2]}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert cross.status_code == 403
    for number in range(4):
        packs.teacher.post("badge/addresses", {"text-mail": f"pat{number}@home.example"})
    answer = packs.teacher.post("badge/addresses", {"text-mail": "one-more@home.example"})
    assert 'data-error="too_many_addresses"' in answer.text
    packs.course.clock.move(days=4)
    assert "too old" in html.unescape(press(packs, path).text)
