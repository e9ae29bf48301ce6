"""The platform as its users script it: begin a launch, forge a token, read what came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from . import login
from .claims import line_item_url, message_claims, message_facts
from .deep_linking import DeepLinkOutcome, make_items, take_response
from .keys import TokenForm, sign_token
from .login import FormPost, LoginInitiation, Refusal
from .model import DeepLinkVisit, Grade, Message, ScoreEvent
from .names import with_overrides
from .state import State


class Platform(State):
    """One LMS. Several may live in a process; nothing is shared between them.

    Claims may be named by the short names of ``names.CLAIMS`` (``version``, ``roles``, ``ags`` ...)
    or, in ``claims={...}``, by any URI; ``ABSENT`` leaves one out.
    """

    def begin_launch(
        self,
        person_id: str,
        link_id: str,
        *,
        token: TokenForm | None = None,
        form: Mapping[str, object] | None = None,
        claims: Mapping[str, object] | None = None,
        document_target: str = "iframe",
        **overrides: object,
    ) -> LoginInitiation:
        """Start a resource link launch: the login initiation to send the browser with.

        ``overrides`` and ``claims`` change the id_token, ``token`` its form, ``form`` the fields of
        the authorization response. All wait at the authorization endpoint under the hint.
        """
        link = self.links[link_id]
        message = Message(
            "LtiResourceLinkRequest",
            person_id,
            link.client_id,
            link.deployment_id,
            link.url or self.tools[link.client_id].launch_url,
            self.clock() + timedelta(seconds=self.dialect.hint_seconds),
            course_id=link.course_id,
            link_id=link.id,
            document_target=document_target,
        )
        return self._begin(message, token, form, claims, overrides)

    def begin_placement_launch(
        self,
        person_id: str,
        course_id: str | None,
        *,
        placement: str,
        client_id: str | None = None,
        deployment_id: str | None = None,
        token: TokenForm | None = None,
        form: Mapping[str, object] | None = None,
        claims: Mapping[str, object] | None = None,
        **overrides: object,
    ) -> LoginInitiation:
        """Open the tool itself from a place of the LMS's own (a menu), not from content of a course.

        ``course_id`` None: outside all courses.
        """
        tool = self.tools[client_id] if client_id else self.only_tool()
        usual = self.deployment_in(course_id, tool) if course_id else tool.deployments[0]
        message = Message(
            "LtiResourceLinkRequest",
            person_id,
            tool.client_id,
            deployment_id or usual,
            tool.launch_url,
            self.clock() + timedelta(seconds=self.dialect.hint_seconds),
            course_id=course_id,
            placement=placement,
        )
        return self._begin(message, token, form, claims, overrides)

    def begin_deep_link(
        self,
        person_id: str,
        course_id: str,
        *,
        client_id: str | None = None,
        deployment_id: str | None = None,
        placement: str | None = None,
        module: str = "Micro-credentials",
        name: str = "",
        settings: Mapping[str, object] | None = None,
        token: TokenForm | None = None,
        form: Mapping[str, object] | None = None,
        claims: Mapping[str, object] | None = None,
        **overrides: object,
    ) -> LoginInitiation:
        """Start a deep linking request. ``settings`` changes members of deep_linking_settings;
        ``name`` is what the teacher has typed into the form already, where there is one."""
        tool = self.tools[client_id] if client_id else self.only_tool()
        chosen = placement or next(iter(self.dialect.deep_link_settings))
        visit_id = self.token()
        asked: dict[str, object] = dict(self.dialect.deep_link_settings[chosen])
        deployment = deployment_id or self.deployment_in(course_id, tool)
        visit = DeepLinkVisit(
            visit_id, person_id, course_id, tool.client_id, deployment, asked, module, chosen, name
        )
        asked["deep_link_return_url"] = self.dialect.return_url(self, visit)
        if self.dialect.sends_data:
            asked["data"] = f"visit={visit_id}"
        visit.settings = with_overrides(self.dialect.finish_settings(asked, visit), dict(settings or {}))
        with self.lock:
            self.visits[visit_id] = visit
        message = Message(
            "LtiDeepLinkingRequest",
            person_id,
            tool.client_id,
            deployment,
            tool.deep_link_url or tool.launch_url,
            self.clock() + timedelta(seconds=self.dialect.hint_seconds),
            course_id=course_id,
            return_id=visit_id,
            placement=chosen,
        )
        return self._begin(message, token, form, claims, overrides)

    def begin_review(
        self,
        person_id: str,
        line_item_id: str,
        for_user_id: str,
        *,
        token: TokenForm | None = None,
        form: Mapping[str, object] | None = None,
        claims: Mapping[str, object] | None = None,
        **overrides: object,
    ) -> LoginInitiation:
        """Start a submission review launch of one person's work from the gradebook (AGS 2.0, 3.5)."""
        item = self.line_items[line_item_id]
        tool = self.tools[item.client_id]
        link = self.links[item.resource_link_id] if item.resource_link_id else None
        own_url = str((item.submission_review or {}).get("url") or "")
        message = Message(
            "LtiSubmissionReviewRequest",
            person_id,
            tool.client_id,
            link.deployment_id if link else tool.deployments[0],
            own_url or (link.url if link else "") or tool.launch_url,
            self.clock() + timedelta(seconds=self.dialect.hint_seconds),
            course_id=item.course_id,
            link_id=link.id if link else None,
            line_item_id=item.id,
            for_user_id=for_user_id,
        )
        return self._begin(message, token, form, claims, overrides)

    def _begin(
        self,
        message: Message,
        token: TokenForm | None,
        form: Mapping[str, object] | None,
        claims: Mapping[str, object] | None,
        overrides: dict[str, object],
    ) -> LoginInitiation:
        message.claims = {**(claims or {}), **overrides}
        message.token = token
        message.form = dict(form or {})
        return login.start_message(self, message)

    def authorize(self, request: str | Mapping[str, str], person_id: str | None = None) -> FormPost | Refusal:
        """Answer an authentication request without HTTP, as the hint's own person unless named.

        ``request`` is the address the tool redirected to, or its parameters.
        """
        params = dict(parse_qsl(urlsplit(request).query, True)) if isinstance(request, str) else request
        if person_id is None and params.get("lti_message_hint") in self.messages:
            person_id = self.messages[params["lti_message_hint"]].person_id
        return login.authorize(self, params, person_id)

    def take_deep_link_response(self, return_url: str, token: str) -> DeepLinkOutcome:
        """Take a picker's answer without HTTP; DeepLinkError if it is refused."""
        address = urlsplit(return_url)
        ids = {"visit_id": address.path.rpartition("/")[2]}
        visit_id = self.dialect.find_visit(self, ids, dict(parse_qsl(address.query)))
        return take_response(self, self.visits[visit_id], token)

    def save_draft(self, draft_id: str, *, title: str = "", publish: bool = False) -> DeepLinkOutcome:
        """The teacher saves what a picker answered; the only item may be given another title.

        ``publish`` shows content to learners at once where the LMS would otherwise hide it.
        """
        with self.lock:
            draft, outcome = self.drafts.pop(draft_id), DeepLinkOutcome()
            if title and len(draft.items) == 1:
                draft.items[0].link["title"] = title
                if draft.items[0].column is not None:
                    draft.items[0].column["label"] = title
            make_items(self, draft, outcome)
            for link in outcome.links if publish else ():
                self.set_published(link.id)
            self.on_change()
        return outcome

    def activate(self, client_id: str, *, in_chooser: bool = True) -> None:
        """An administrator switches a registered tool on and offers it to teachers."""
        with self.lock:
            self.tools[client_id].enabled = True
            self.tools[client_id].in_chooser = in_chooser
            self.on_change()

    def line_item_url(self, line_item_id: str) -> str:
        """The line item's address, as in the AGS claim."""
        return line_item_url(self, self.line_items[line_item_id])

    def grade(self, line_item_id: str, person_id: str) -> Grade:
        """One cell of the gradebook; an empty one where nothing came yet."""
        return self.line_items[line_item_id].grades.get(person_id) or Grade()

    def score_events(self, line_item_id: str, person_id: str) -> list[ScoreEvent]:
        """Every update of one cell in order of arrival, refused ones too."""
        return [event for event in self.line_items[line_item_id].history if event.person_id == person_id]

    def claims_for(
        self, person_id: str, link_id: str, nonce: str = "nonce", **overrides: object
    ) -> dict[str, Any]:
        """The claims that a launch of this person and link would carry now."""
        start = self.begin_launch(person_id, link_id, **overrides)  # type: ignore[arg-type]
        with self.lock:
            claims = message_claims(self, message_facts(self, self.messages[start.hint]), nonce)
            del self.messages[start.hint]
        return claims

    def sign_id_token(
        self, claims: Mapping[str, object], form: TokenForm | None = None, **form_fields: Any
    ) -> str:
        """Sign any claims: with the current key, or as ``TokenForm`` (or its fields) say."""
        return sign_token(claims, self.keys.current, form or TokenForm(**form_fields))
