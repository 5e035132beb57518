"""The hunter: looks back over the ledger for each new indicator and sends the people found to the topic ``signals``.

`models.lookback.planner` decides what to ask the ledger and what follows from the answers. ``service`` is the way in
and runs everything in turns. ``indicator_log`` records what became known and when, ``segment_index`` tells which
segments may hold a key, ``search`` answers questions from segments, and ``signal_topic`` publishes the signals.
"""
