"""Masking: a person's number as it is shown unless a user asks for the whole number."""

from __future__ import annotations


def masked(number: str) -> str:
    """A number with its middle hidden: its owner recognises it, but nobody can call it.

    >>> masked("8610000000001")
    '86100*****001'
    >>> masked("123456")
    '***456'
    """
    begins = 5 if len(number) > 8 else 0
    return number[:begins] + "*" * max(3, len(number) - begins - 3) + number[-3:]
