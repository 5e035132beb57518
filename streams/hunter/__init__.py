"""The hunter: each new indicator looks back over the ledger, and the people found go to the topic ``signals``.

`models.lookback.planner` decides what to ask and what follows. ``indicator_log`` is what became known and when,
``segment_index`` which segments may hold whom, ``search`` the segments as a ledger that answers, ``signal_topic`` the
signals' way out, ``service`` all of it in turns.
"""
