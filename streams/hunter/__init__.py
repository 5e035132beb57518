"""The hunter: each new indicator looks back over the ledger, and the people found go to the topic ``signals``.

``indicator_log`` is what became known and when, ``segment_index`` which segments may hold whom, ``search`` from
indicators to signals, ``signal_topic`` their way out, ``service`` all of it in turns.
"""
