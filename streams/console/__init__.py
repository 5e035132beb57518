"""The console: the HTTP API through which officers and stations' own systems see their cases and say what they did.

``app`` puts it together, ``authorisation`` checks each request, ``view`` holds the cases, ``reporter`` publishes what
users report, ``service`` runs it. ``models/access/rights.py`` and ``models/casework/reporting.py`` decide who may see
and do what.
"""
