"""Texts: what one SMS says, whoever sent it.

Comes in: the text of an SMS. Goes out: its hosts and URLs, whether it carries a verification code or a bank's
notice, and the template it was written from. `extraction` is the way in; `prefilter` skips the many texts that hold
nothing.
"""
