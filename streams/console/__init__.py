"""The console: the HTTP API through which officers and stations' own systems see their cases and report on them.

``app`` puts it together, ``authorisation`` checks each request, ``view`` holds the cases, ``reporter`` publishes users'
reports, and ``service`` runs it. ``models/access/rights.py`` and ``models/casework/reporting.py`` decide who may see
and do what.
"""
