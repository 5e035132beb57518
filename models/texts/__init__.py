"""Texts: the content of one SMS, independent of its sender.

Comes in: the text of an SMS. Goes out: its hosts and URLs, whether it holds a verification code or a bank notice, and
its template. `extraction` is the entry point; `prefilter` skips the many texts that hold nothing.
"""
