"""Proof: what an attempt to reach a person proves, and what has to be proved before a case is closed.

Only speech with the person, or meeting them, reaches them, and only once an identity question has shown that it is
them: relatives and impostors answer as well, and an SMS proves nothing. An outcome that says something about the person
needs such an attempt. Attempts count from the last order: the alert that opened, reopened or raised the case.

This is rule 2. Feedback and outcomes name their rule, so that labels of before can be told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from models.casework.cases import RULE, Case, Entry, Feedback, FeedbackError, Kind, Outcome, Step
from models.policy.policy import DispatchRules

REACHED: Final[frozenset[Outcome]] = frozenset(
    {"dissuaded", "already-aware", "already-harmed", "refused", "false-positive"}
)
"""The outcomes that only the person can have shown."""
_ORDERED: Final[frozenset[Kind | Step]] = frozenset({"opened", "reopened", "raised"})


def attempts(case: Case) -> Sequence[Entry]:
    """The attempts since the last order, the oldest first."""
    found: list[Entry] = []
    for entry in case.history:
        if entry.kind in _ORDERED:
            found.clear()
        elif entry.kind == "attempt":
            found.append(entry)
    return found


def is_reached(case: Case) -> bool:
    """Whether somebody has reached the person since the last order."""
    return any(entry.reached for entry in attempts(case))


def counts(case: Case, feedback: Feedback) -> bool:
    """Whether rule 2 counts for feedback on a case; it does not for feedback of before on a case of before."""
    return max(case.rule, feedback.rule) >= RULE


def check_proof(rules: DispatchRules, case: Case, feedback: Feedback) -> None:
    """Raise `FeedbackError` unless an attempt, or an outcome, is proved as rule 2 asks."""
    if feedback.kind not in ("attempt", "outcome") or not counts(case, feedback):
        return
    if feedback.rule < RULE:
        raise FeedbackError(
            "old-rule", f"The case was opened under rule {RULE}: send the {feedback.kind} again with rule {RULE}."
        )
    if feedback.kind == "attempt":
        _check_attempt(feedback)
    else:
        _check_outcome(rules, case, feedback)


def _check_attempt(feedback: Feedback) -> None:
    if feedback.means == "sms" and (feedback.reached or feedback.answered is not None):
        raise FeedbackError(
            "sms-reaches-nobody", "An SMS reaches nobody: only speaking with the person, or meeting them, does."
        )
    if feedback.reached != (feedback.answered == "person"):
        raise FeedbackError(
            "who-answered",
            "Say who answered: reached is true for the person alone (answered: person), after an identity question.",
        )


def _check_outcome(rules: DispatchRules, case: Case, feedback: Feedback) -> None:
    tried = attempts(case)
    if feedback.outcome in REACHED and not is_reached(case):
        raise FeedbackError(
            "not-reached",
            f"The outcome {feedback.outcome} needs an attempt that has reached the person, by speech or face to face: "
            "report that attempt first.",
        )
    if feedback.outcome == "wrong-person" and not any(entry.reached or entry.answered for entry in tried):
        raise FeedbackError(
            "nobody-answered", "The outcome wrong-person needs an attempt that somebody answered: report that first."
        )
    if feedback.outcome == "duplicate" and not feedback.note.strip():
        raise FeedbackError("no-other-case", "The outcome duplicate needs a note that names the other case.")
    if feedback.outcome == "unreachable":
        _check_unreachable(rules, case, tried)
    _check_loss(case, feedback)


def _check_unreachable(rules: DispatchRules, case: Case, tried: Sequence[Entry]) -> None:
    if is_reached(case):
        raise FeedbackError("was-reached", "The person was reached, so they are not unreachable: choose what they did.")
    in_vain = [entry for entry in tried if entry.means in ("call", "visit")]
    if len(in_vain) < rules.unreachable_attempts:
        raise FeedbackError(
            "too-few-attempts",
            f"The outcome unreachable needs {rules.unreachable_attempts} calls or visits, and there are "
            f"{len(in_vain)} since the order: try again.",
        )
    if case.severity == "urgent" and not any(entry.means == "visit" for entry in in_vain):
        raise FeedbackError("no-visit", "An urgent case is unreachable only after a visit: go to the door first.")


def _check_loss(case: Case, feedback: Feedback) -> None:
    paid, lost = paid_cny(case), feedback.loss_cny or 0.0
    if paid != lost and not feedback.loss_checked:
        raise FeedbackError(
            "loss-differs",
            f"The loss is {lost:,.2f} yuan, and the paid stop-payments add up to {paid:,.2f}: correct one "
            "of them, or say that it was checked (loss_checked).",
        )


def paid_cny(case: Case) -> float:
    """What the stop-payments of a case add up to (yuan), as far as the money had been paid."""
    paid = (payment.request for payment in case.payments if payment.request.paid_at is not None)
    return round(sum(each.amount_cny for each in paid), 2)
