"""Files: everything that is read from or written to a file that people or other systems handle.

Comes in: paths. Goes out: records, indicators, policies, models, playbooks and scripts, each mistake with its line.
"""
