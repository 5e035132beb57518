"""The console: the HTTP API through which officers and stations' own systems see their cases and say what they did.

``app`` puts it together, ``gate`` asks who comes, ``view`` holds the cases, ``reporter`` hands on what is said,
``service`` runs it. What may be seen and done is decided in ``models/access/rights.py`` and
``models/casework/reporting.py``.
"""
