"""Person: what the site holds of one person, for ``forewarn person export`` and ``forewarn person purge``.

``holdings`` finds it, with ``topic_search`` in Kafka, `streams.ledger.erasure` in the ledger, and the stored state in
Redis. ``purging`` has it forgotten, ``keeping`` says until when Kafka keeps the rest, ``proof`` and ``exporting`` are
what comes out.
"""
