"""The state machine: who may do what, when, and what follows."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from microcred.credentials import (
    SYSTEM,
    Action,
    Facts,
    Moment,
    Outcome,
    PartResult,
    PartState,
    Party,
    Plan,
    Refused,
    State,
    choices,
    may,
    plan,
)
from microcred.credentials.models import ATTEMPT_STATES, CLOSED_STATES, DECISIONS
from microcred.credentials.steps import (
    CLOSED,
    TABLE,
    Actor,
    AddDecision,
    DoBadge,
    NewTry,
    SendMail,
    SendScore,
)

OWNER, REVIEWER, APPROVER, STRANGER = 1, 2, 3, 4


def outcome(passed: bool | None) -> Outcome:
    states = {
        "p1": PartState.PASSING,
        "p2": {True: PartState.YES, False: PartState.NO, None: PartState.UNRATED}[passed],
    }
    parts = {
        key: PartResult(key, number, key, state, {}) for number, (key, state) in enumerate(states.items(), 1)
    }
    return Outcome(parts, passed)


def facts(state: State | None, **others: object) -> Facts:
    given: dict[str, object] = {
        "state": state,
        "owner_id": OWNER,
        "reviewer_ids": frozenset({REVIEWER}),
        "outcome": outcome(True),
        "statements_confirmed": True,
        "reason": "Because.",
    }
    return Facts(**(given | others))  # type: ignore[arg-type]


TEACHER = Party(OWNER)
READER = Party(REVIEWER)
DECIDER = Party(APPROVER, is_issuer_approver=True)


def refusal(about: Facts, action: Action, by: Party) -> str:
    with pytest.raises(Refused) as refused:
        plan(about, action, by)
    assert refused.value.message.endswith(".")
    return refused.value.code


def moments(planned: Plan) -> list[Moment]:
    return [follow.moment for follow in planned.follows if isinstance(follow, SendScore)]


def test_the_whole_way_to_an_award() -> None:
    way = [
        (None, Action.OPEN, TEACHER, State.DRAFT),
        (State.DRAFT, Action.SAVE, TEACHER, State.DRAFT),
        (State.DRAFT, Action.SUBMIT, TEACHER, State.SUBMITTED),
        (State.SUBMITTED, Action.START_REVIEW, READER, State.IN_REVIEW),
        (State.IN_REVIEW, Action.RATE, READER, State.IN_REVIEW),
        (State.IN_REVIEW, Action.RECOMMEND_AWARD, READER, State.RECOMMENDED),
        (State.RECOMMENDED, Action.AWARD, DECIDER, State.AWARDED),
    ]
    told = []
    for state, action, by, target in way:
        planned = plan(facts(state), action, by)
        assert planned.target is target
        assert (planned.audit is None) == (state is target)
        told += moments(planned)
    assert told == [Moment.OPENED, Moment.SUBMITTED, Moment.AWARDED]


def test_an_award_brings_decision_badge_score_and_mail() -> None:
    follows = plan(facts(State.RECOMMENDED), Action.AWARD, DECIDER).follows
    assert [type(follow) for follow in follows] == [AddDecision, DoBadge, SendScore, SendMail]


@pytest.mark.parametrize(("state", "by"), [(State.IN_REVIEW, READER), (State.RECOMMENDED, DECIDER)])
def test_revisions_open_a_new_try_with_the_passed_parts_locked(state: State, by: Party) -> None:
    planned = plan(facts(state, outcome=outcome(False)), Action.REQUEST_REVISIONS, by)
    assert planned.target is State.REVISIONS_REQUESTED
    assert [follow for follow in planned.follows if isinstance(follow, NewTry)] == [NewTry(("p1",))]
    assert moments(planned) == [Moment.REVISIONS_REQUESTED]


@pytest.mark.parametrize("action", [Action.AWARD, Action.DENY, Action.RETURN_TO_REVIEWER])
def test_nobody_decides_about_their_own_work(action: Action) -> None:
    owner_with_office = Party(OWNER, is_issuer_approver=True)
    assert refusal(facts(State.RECOMMENDED), action, owner_with_office) == "own_work"


@pytest.mark.parametrize("action", [Action.AWARD, Action.DENY, Action.RETURN_TO_REVIEWER])
def test_a_reviewer_of_the_try_does_not_decide_about_it(action: Action) -> None:
    reviewer_with_office = Party(REVIEWER, is_issuer_approver=True)
    assert refusal(facts(State.RECOMMENDED), action, reviewer_with_office) == "reviewed_it"


def test_a_reviewer_who_also_approves_still_reviews() -> None:
    about = facts(State.IN_REVIEW, outcome=outcome(False))
    assert may(about, Action.REQUEST_REVISIONS, Party(REVIEWER, is_issuer_approver=True))


def test_nobody_reviews_their_own_work() -> None:
    about = facts(State.SUBMITTED, reviewer_ids=frozenset({OWNER}))
    assert refusal(about, Action.START_REVIEW, TEACHER) == "own_work"
    assert refusal(replace(about, state=State.IN_REVIEW), Action.RATE, TEACHER) == "own_work"


@pytest.mark.parametrize("state", [State.IN_REVIEW, State.RECOMMENDED, State.AWARDED])
def test_withdrawing_ends_when_a_reviewer_starts(state: State) -> None:
    assert may(facts(State.SUBMITTED), Action.WITHDRAW, TEACHER)
    assert refusal(facts(state), Action.WITHDRAW, TEACHER) == "wrong_state"


def test_a_second_click_on_submit_is_told_apart() -> None:
    assert refusal(facts(State.SUBMITTED), Action.SUBMIT, TEACHER) == "already_done"


@pytest.mark.parametrize(
    ("state", "action", "by", "others", "code"),
    [
        (State.DRAFT, Action.SUBMIT, TEACHER, {"missing": 2}, "incomplete"),
        (State.DRAFT, Action.SUBMIT, TEACHER, {"statements_confirmed": False}, "statements_unconfirmed"),
        (State.DRAFT, Action.SUBMIT, TEACHER, {"submitting_closed": True}, "submitting_closed"),
        (State.IN_REVIEW, Action.RECOMMEND_AWARD, READER, {"outcome": None}, "unrated"),
        (State.IN_REVIEW, Action.RECOMMEND_AWARD, READER, {"outcome": outcome(None)}, "unrated"),
        (State.IN_REVIEW, Action.RECOMMEND_AWARD, READER, {"outcome": outcome(False)}, "not_passed"),
        (State.IN_REVIEW, Action.REQUEST_REVISIONS, READER, {}, "passed"),
        (
            State.IN_REVIEW,
            Action.REQUEST_REVISIONS,
            READER,
            {"outcome": outcome(False), "uncommented": 1},
            "uncommented",
        ),
        (State.RECOMMENDED, Action.AWARD, DECIDER, {"outcome": outcome(False)}, "not_passed"),
        (State.RECOMMENDED, Action.REQUEST_REVISIONS, DECIDER, {}, "passed"),
        (State.RECOMMENDED, Action.DENY, DECIDER, {"reason": " "}, "reason_missing"),
        (State.RECOMMENDED, Action.RETURN_TO_REVIEWER, DECIDER, {"reason": ""}, "reason_missing"),
        (State.DENIED, Action.OPEN_APPEAL, TEACHER, {"appeal_closed": True}, "appeal_closed"),
        (
            State.REVISIONS_REQUESTED,
            Action.OPEN_APPEAL,
            TEACHER,
            {"tries": 2, "tries_before_coaching": 3},
            "tries_left",
        ),
        (State.DRAFT, Action.SUBMIT, Party(STRANGER), {}, "not_yours"),
        (State.IN_REVIEW, Action.RATE, Party(STRANGER), {}, "not_yours"),
        (State.RECOMMENDED, Action.AWARD, READER, {}, "not_yours"),
        (State.APPEAL_OPEN, Action.APPEAL_AWARD, Party(REVIEWER, is_appeal_reader=True), {}, "reviewed_it"),
        (
            State.APPEAL_OPEN,
            Action.APPEAL_AWARD,
            Party(APPROVER, is_appeal_reader=True),
            {"decider_ids": frozenset({APPROVER})},
            "decided_it",
        ),
    ],
)
def test_refusals_have_a_code_and_words(
    state: State, action: Action, by: Party, others: dict[str, object], code: str
) -> None:
    assert refusal(facts(state, **others), action, by) == code


def test_buttons_say_why_they_are_off() -> None:
    found = {choice.action: choice for choice in choices(facts(State.DRAFT, missing=1), TEACHER)}
    assert set(found) == {Action.SAVE, Action.SUBMIT, Action.WITHDRAW}
    assert found[Action.SAVE].allowed
    assert found[Action.SUBMIT].reason == "1 thing is missing. Everything you wrote is saved."
    assert choices(facts(State.DRAFT), Party(STRANGER)) == []
    own = choices(facts(State.RECOMMENDED), Party(OWNER, is_issuer_approver=True), [Action.AWARD])
    assert [(choice.allowed, choice.code) for choice in own] == [(False, "own_work")]


# the table as a whole


def test_states_and_decisions_are_those_the_database_knows() -> None:
    assert {str(state) for state in State} == set(ATTEMPT_STATES)
    assert {str(state) for state in CLOSED} == set(CLOSED_STATES)
    kinds = {follow.kind for row in TABLE for follow in row.follows if isinstance(follow, AddDecision)}
    assert kinds == set(DECISIONS)


def test_an_action_has_one_row_for_a_state() -> None:
    pairs = [(row.action, source) for row in TABLE for source in row.sources]
    assert len(pairs) == len(set(pairs))
    assert {row.action for row in TABLE} == set(Action)


def test_every_state_can_be_reached_and_every_change_is_audited() -> None:
    assert {row.target for row in TABLE} == set(State)
    for row in TABLE:
        stays = row.sources == {row.target}
        assert stays or row.audit is not None
        assert (row.audit is not None) or row.actor is not Actor.SYSTEM


def test_every_moment_is_told_by_some_row() -> None:
    told = {follow.moment for row in TABLE for follow in row.follows if isinstance(follow, SendScore)}
    assert told == set(Moment)


def test_only_an_approver_or_an_appeal_reader_awards() -> None:
    extending = [row for row in TABLE if row.action is Action.EXTEND]
    assert [(row.sources, row.actor) for row in extending] == [(frozenset({State.EXPIRED}), Actor.SYSTEM)]
    awarding = {row.actor for row in TABLE if row.target is State.AWARDED and row not in extending}
    assert awarding == {Actor.APPROVER, Actor.APPEAL_READER}


class Anybody(RuleBasedStateMachine):
    """Random people press random buttons; the invariants of fairness hold after every step."""

    PEOPLE = st.integers(1, 6)

    def __init__(self) -> None:
        super().__init__()
        self.facts = facts(None, reviewer_ids=frozenset(), outcome=None, reason="Because.")
        self.done: list[tuple[Plan, Party]] = []

    @rule(person=PEOPLE)
    def assign(self, person: int) -> None:
        self.facts = replace(self.facts, reviewer_ids=self.facts.reviewer_ids | {person})

    @rule(passed=st.sampled_from([None, True, False]))
    def rated(self, passed: bool | None) -> None:
        self.facts = replace(self.facts, outcome=outcome(passed))

    @rule(action=st.sampled_from(Action), person=PEOPLE, offices=st.tuples(*[st.booleans()] * 3))
    def press(self, action: Action, person: int, offices: tuple[bool, bool, bool]) -> None:
        self.act(action, Party(person, *offices))

    @rule(action=st.sampled_from(Action))
    def system(self, action: Action) -> None:
        self.act(action, SYSTEM)

    def act(self, action: Action, by: Party) -> None:
        try:
            planned = plan(self.facts, action, by)
        except Refused:
            return
        self.done.append((planned, by))
        deciders = self.facts.decider_ids
        if any(isinstance(follow, AddDecision) for follow in planned.follows) and by.person_id is not None:
            deciders |= {by.person_id}
        self.facts = replace(self.facts, state=planned.target, decider_ids=deciders)

    @invariant()
    def nobody_judges_their_own_work(self) -> None:
        for planned, by in self.done:
            actor = next(
                row.actor for row in TABLE if row.action is planned.action and planned.source in row.sources
            )
            assert (by.person_id == OWNER) == (actor is Actor.OWNER)

    @invariant()
    def an_award_rests_on_a_passing_outcome_or_an_appeal(self) -> None:
        for planned, by in self.done:
            if planned.action is Action.AWARD:
                assert by.is_issuer_approver
                assert planned.source is State.RECOMMENDED


Anybody.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
TestAnybody = Anybody.TestCase
