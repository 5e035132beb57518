"""Overview: what all programs of a site say about themselves, in one value; for ``forewarn top`` and the doctor.

`scraping` asks each program for its metrics and its health. `overview` makes one `Overview` of two such looks, and
`worries` says what is wrong in it, with the entry of the runbook that helps. `picture` shows it on a terminal.
"""
