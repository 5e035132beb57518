"""Files: reads and writes the files that people or other systems handle.

Comes in: paths. Goes out: records, indicators, policies, models, playbooks and scripts, each mistake with its line.
"""
