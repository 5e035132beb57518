"""Base: small building blocks that every other package may use and that know nothing about fraud.

Comes in: bytes, integers, plain functions. Goes out: packed buffers, number keys, compiled functions.
"""
