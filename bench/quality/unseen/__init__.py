"""Unseen scripts: a second set of scams, and how well the detector does that was never trained on or tuned with them.

The scripts beside this file were written from published accounts and `docs/city.md` alone. ``python -m
bench.quality.unseen`` plays them and writes docs/unseen.md. Whoever changes the detector leaves them as they are.
"""
