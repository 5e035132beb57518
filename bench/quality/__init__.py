"""Quality: ``make quality`` plays cities that training never saw and writes docs/quality.md."""
